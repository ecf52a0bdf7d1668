import { createHash } from "node:crypto";
import { ReplicaError } from "../../errors.js";
import type { PartSink } from "./artifact-store.js";
import type { S3Link } from "./s3-link.js";
import type { S3Ticket } from "./s3-ticket.js";

/** Memory that parts share one after the other. */
export interface PartMemory {
  take(bytes: number): Uint8Array;
  giveBack(memory: Uint8Array): void;
}

/** A part of a multipart upload: kept in memory whole, since a request that fails is sent again. */
export class S3Part implements PartSink {
  readonly #link: S3Link;
  readonly #ticket: S3Ticket;
  readonly #number: number;
  readonly #pool: PartMemory;
  readonly #hash = createHash("sha256");
  readonly #ended = new AbortController();
  #memory: Uint8Array;
  #bytes = 0;
  #finishing: Promise<string | null> | undefined;

  constructor(link: S3Link, ticket: S3Ticket, number: number, pool: PartMemory, expectedBytes: number) {
    this.#link = link;
    this.#ticket = ticket;
    this.#number = number;
    this.#pool = pool;
    this.#memory = pool.take(expectedBytes);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#ended.signal.throwIfAborted();
    if (this.#finishing !== undefined) throw new RangeError(`part ${this.#number} is over`);
    const end = this.#bytes + bytes.byteLength;
    if (end > this.#memory.byteLength) {
      const larger = this.#pool.take(Math.max(end, this.#memory.byteLength * 2));
      larger.set(this.#memory.subarray(0, this.#bytes));
      this.#memory = larger;
    }
    this.#memory.set(bytes, this.#bytes);
    this.#hash.update(bytes);
    this.#bytes = end;
  }

  finish(): Promise<string | null> {
    this.#finishing ??= this.#upload();
    return this.#finishing;
  }

  async discard(): Promise<void> {
    await this.end(new ReplicaError("STOPPED", "The part has been discarded"));
  }

  /** Ends its request, where there is one, and resolves when that is over. */
  async end(reason: unknown): Promise<void> {
    this.#ended.abort(reason);
    await this.#finishing?.catch(() => {});
  }

  async #upload(): Promise<string | null> {
    this.#ended.signal.throwIfAborted();
    // A multipart upload has no room for an empty part: it is left out.
    if (this.#bytes === 0) return null;
    const { sdk, names } = this.#link;
    const command = new sdk.UploadPartCommand({
      Bucket: names.bucket,
      Key: this.#ticket.key,
      UploadId: this.#ticket.uploadId,
      PartNumber: this.#number,
      Body: this.#memory.subarray(0, this.#bytes),
      ContentLength: this.#bytes,
    });
    const sha256 = this.#hash.digest("hex");
    // Known already, and signed: else the SDK would hash the whole body at once, for each try.
    command.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-amz-content-sha256"] = sha256;
        return next(args);
      },
      { step: "build", name: "starfishPartHash" },
    );
    const answer = await this.#link.ask(
      `Sending part ${this.#number} of an export`,
      (s3, options) => s3.send(command, options),
      { signal: this.#ended.signal },
    );
    if (answer.ETag === undefined) {
      throw new ReplicaError("ARTIFACT_STORE", `The bucket "${names.bucket}" took a part and gave no ETag for it`, {
        hint: "The server does not speak S3's protocol as it should.",
      });
    }
    this.#pool.giveBack(this.#memory);
    return answer.ETag;
  }
}
