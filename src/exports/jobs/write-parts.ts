import { createHash, type Hash } from "node:crypto";
import { ReplicaError } from "../../errors.js";
import { beforeAbort } from "../../threads/before-abort.js";
import type { ArtifactWriter, PartSink } from "../artifacts/artifact-store.js";
import type { DumpReader } from "../dump/dump-reader.js";
import { DUMP_START, type DumpPartEnd } from "../formats/dump-position.js";
import type { NewPart, RecordedPart } from "./job-record.js";
import type { WholeHash } from "./whole-hash.js";

export interface WritePartsOptions {
  readonly dump: DumpReader;
  readonly writer: ArtifactWriter;
  /** The part to go on after. */
  readonly last: RecordedPart | null;
  /** Of what is written so far. */
  readonly whole: WholeHash;
  /** Asked before more is written. */
  readonly room: (bytes: number) => Promise<void>;
  /** Is given each part once it is durable, in order. */
  readonly record: (part: NewPart) => void;
}

/**
 * Writes the rest of a dump to the store. While a part is being finished the next is begun already: no more than one waits to be recorded.
 * Where it fails, all that was recorded stays, and nothing is under way any more but what `writer.close()` ends.
 */
export async function writeParts(options: WritePartsOptions, signal: AbortSignal): Promise<void> {
  const { dump, writer, last, room } = options;
  const from = last === null ? DUMP_START : last.next;
  if (from === null) return;
  const finishing = new Finishing(options.record);
  let part = new PartInWork((last?.number ?? 0) + 1);
  let isWhole = false;
  try {
    for await (const { bytes, end } of dump.read(from, signal)) {
      finishing.throwIfFailed();
      if (bytes.byteLength > 0) {
        await room(bytes.byteLength);
        options.whole.update(bytes);
        await beforeAbort(part.write(writer, bytes), signal);
      }
      if (end === null) continue;
      part.count(end);
      if (end.next !== null && part.bytes < writer.minPartBytes(part.number)) continue;
      // A dump ends with a part that has something in it, unless it is empty: then its file is too.
      const whole = part;
      const hashState = options.whole.save();
      await beforeAbort(finishing.free(), signal);
      signal.throwIfAborted();
      finishing.begin(() => whole.finish(writer, end, hashState));
      part = new PartInWork(whole.number + 1);
      isWhole = end.next === null;
      if (isWhole) break;
    }
    if (!isWhole) throw new ReplicaError("WORKER_FAILED", "The dump ended before its end", { retryable: true });
    await beforeAbort(finishing.free(), signal);
  } catch (error) {
    // Whoever cuts it short does not wait for the store: what lies beyond the last part is cut off when it goes on.
    if (!signal.aborted) {
      await part.discard();
      await beforeAbort(finishing.free(), signal).catch(() => {});
    }
    throw error;
  }
}

/** A part whose bytes are coming in. */
class PartInWork {
  readonly number: number;
  bytes = 0;
  readonly #hash: Hash = createHash("sha256");
  readonly #rowsOf = new Map<number, number>();
  #rows = 0;
  #sink: PartSink | null = null;

  constructor(number: number) {
    this.number = number;
  }

  async write(writer: ArtifactWriter, bytes: Uint8Array): Promise<void> {
    this.bytes += bytes.byteLength;
    this.#hash.update(bytes);
    this.#sink ??= writer.part(this.number);
    await this.#sink.write(bytes);
  }

  count({ rows, rowsOf }: DumpPartEnd): void {
    this.#rows += rows;
    for (const [table, count] of rowsOf) this.#rowsOf.set(table, (this.#rowsOf.get(table) ?? 0) + count);
  }

  async finish(writer: ArtifactWriter, end: DumpPartEnd, hashState: Uint8Array | null): Promise<NewPart> {
    const sink = this.#sink ?? writer.part(this.number);
    this.#sink = null;
    return {
      number: this.number,
      bytes: this.bytes,
      sha256: this.#hash.digest("hex"),
      receipt: await sink.finish(),
      rows: this.#rows,
      rowsOf: [...this.#rowsOf],
      tablesDone: end.tablesDone,
      next: end.next,
      hashState,
    };
  }

  async discard(): Promise<void> {
    const sink = this.#sink;
    this.#sink = null;
    await sink?.discard().catch(() => {});
  }
}

/** The part that is being finished, one at a time. */
class Finishing {
  readonly #record: (part: NewPart) => void;
  #current: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | null = null;

  constructor(record: (part: NewPart) => void) {
    this.#record = record;
  }

  /** Resolves when the part before has been recorded. */
  async free(): Promise<void> {
    await this.#current;
    this.throwIfFailed();
  }

  begin(finish: () => Promise<NewPart>): void {
    this.#current = finish()
      .then(this.#record)
      .catch((error: unknown) => {
        this.#failure = { error };
      });
  }

  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
