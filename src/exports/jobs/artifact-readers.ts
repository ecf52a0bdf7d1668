import { randomInt } from "node:crypto";
import { ReplicaError } from "../../errors.js";
import type { ArtifactStore } from "../artifacts/artifact-store.js";
import type { ByteRange } from "../export-job.js";

/** Somebody who has not read for so long has gone away. */
const IDLE_MS = 5 * 60_000;

interface Reader {
  readonly pieces: AsyncIterator<Uint8Array, unknown>;
  readonly abort: AbortController;
  /** Read ahead. */
  next: Promise<IteratorResult<Uint8Array, unknown>>;
  idle: NodeJS.Timeout | null;
}

/** Finished artifacts that are being read, a piece ahead of whoever reads. */
export class ArtifactReaders {
  readonly #store: ArtifactStore;
  readonly #idleMs: number;
  readonly #readers = new Map<number, Reader>();
  /** Not those of a thread before this one: whoever still reads from that must not get another file's bytes. */
  #nextNumber: number = randomInt(2 ** 47);

  constructor(store: ArtifactStore, idleMs: number = IDLE_MS) {
    this.#store = store;
    this.#idleMs = idleMs;
  }

  /** Resolves once the first piece is there, so that what is missing shows here. @throws `ARTIFACT_MISSING`, `ARTIFACT_STORE` */
  async open(location: string, range: ByteRange | null): Promise<number> {
    const abort = new AbortController();
    const pieces = this.#store.read(location, range, abort.signal)[Symbol.asyncIterator]();
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const reader: Reader = { pieces, abort, next: pieces.next(), idle: null };
    this.#readers.set(number, reader);
    try {
      await reader.next;
    } catch (error) {
      await this.close(number);
      throw error;
    }
    if (!this.#readers.has(number)) throw notOpen();
    this.#watch(number, reader);
    return number;
  }

  /** @throws `STOPPED` for one that was closed, `ARTIFACT_STORE` */
  async read(number: number): Promise<Uint8Array | null> {
    const reader = this.#readers.get(number);
    if (reader === undefined) throw notOpen();
    if (reader.idle !== null) clearTimeout(reader.idle);
    try {
      const piece = await reader.next;
      if (piece.done) {
        await this.close(number);
        return null;
      }
      reader.next = reader.pieces.next();
      reader.next.catch(() => {});
      this.#watch(number, reader);
      return piece.value;
    } catch (error) {
      await this.close(number);
      throw error;
    }
  }

  /** One that is not open is no error. */
  async close(number: number): Promise<void> {
    const reader = this.#readers.get(number);
    if (reader === undefined) return;
    this.#readers.delete(number);
    if (reader.idle !== null) clearTimeout(reader.idle);
    reader.abort.abort(new ReplicaError("STOPPED", "The download was closed"));
    await reader.next.catch(() => {});
    await reader.pieces.return?.()?.catch(() => {});
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#readers.keys()].map((number) => this.close(number)));
  }

  #watch(number: number, reader: Reader): void {
    if (!this.#readers.has(number)) return;
    reader.idle = setTimeout(() => void this.close(number), this.#idleMs).unref();
  }
}

function notOpen(): ReplicaError {
  return new ReplicaError("STOPPED", "This download is not open any more", {
    hint: "Begin it again where it broke off.",
    retryable: true,
  });
}
