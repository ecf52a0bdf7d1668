import { ReplicaError } from "../../errors.js";
import type { ArtifactWriter, PartSink, StoredPart } from "./artifact-store.js";
import type { S3Link } from "./s3-link.js";
import { s3Location } from "./s3-location.js";
import { sizeOfFinished } from "./s3-object.js";
import { S3Part } from "./s3-part.js";
import { MARK_NAME, type S3Ticket } from "./s3-ticket.js";
import { abortUpload } from "./s3-uploads.js";

const MIB = 1024 * 1024;
const SMALLEST_PART_BYTES = 8 * MIB;
/** A part is as long as its memory, and the last piece of a dump may go beyond the least length. */
const OVERHANG_BYTES = 2 * MIB;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
const PARTS_PER_SIZE = 1000;

/** Writes the parts of an artifact as a multipart upload. */
export class S3Writer implements ArtifactWriter {
  readonly #link: S3Link;
  readonly #ticket: S3Ticket;
  /** Bytes of the finished object, where there is one already. */
  #finishedBytes: number | null;
  readonly #parts = new Set<S3Part>();
  #spare: Uint8Array | undefined;
  #closed = false;

  constructor(link: S3Link, ticket: S3Ticket, finishedBytes: number | null) {
    this.#link = link;
    this.#ticket = ticket;
    this.#finishedBytes = finishedBytes;
  }

  /** Grows with the number, so that 10,000 parts hold 440 GB and a small export begins with small ones. */
  minPartBytes(number: number): number {
    return SMALLEST_PART_BYTES * (1 + Math.floor((number - 1) / PARTS_PER_SIZE));
  }

  part(number: number): PartSink {
    if (number > MAX_PARTS) {
      throw new ReplicaError("ARTIFACT_STORE", `The export has more than the ${MAX_PARTS} parts that S3 takes`, {
        hint: "Export fewer tables at once, or into a folder.",
      });
    }
    const pool = {
      take: (bytes: number) => this.#take(bytes),
      giveBack: (memory: Uint8Array) => {
        this.#spare = memory;
      },
    };
    const part = new S3Part(this.#link, this.#ticket, number, pool, this.minPartBytes(number) + OVERHANG_BYTES);
    if (this.#closed) void part.end(closed());
    this.#parts.add(part);
    return {
      write: (bytes) => part.write(bytes),
      finish: () => part.finish().finally(() => this.#parts.delete(part)),
      discard: () => part.discard().finally(() => this.#parts.delete(part)),
    };
  }

  async complete(parts: readonly StoredPart[]): Promise<string> {
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    if (this.#finishedBytes === null) {
      if (bytes === 0) await this.#putEmpty();
      else await this.#assemble(parts);
      this.#finishedBytes = await sizeOfFinished(this.#link, this.#ticket);
    }
    const { key } = this.#ticket;
    if (this.#finishedBytes === bytes) return s3Location(this.#link.names.bucket, key);
    const found = this.#finishedBytes === null ? "is not there" : `has ${this.#finishedBytes} bytes, not ${bytes}`;
    this.#finishedBytes = null;
    throw new ReplicaError("ARTIFACT_STORE", `The finished export "${key}" ${found}`, {
      hint: `Somebody else writes to or removes from the bucket "${this.#link.names.bucket}": the export is begun anew.`,
      retryable: true,
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#spare = undefined;
    await Promise.all([...this.#parts].map((part) => part.end(closed())));
    this.#parts.clear();
  }

  async #assemble(parts: readonly StoredPart[]): Promise<void> {
    const { key, uploadId } = this.#ticket;
    const Parts = parts
      .filter((part) => part.bytes > 0)
      .map((part) => ({ PartNumber: part.number, ...(part.receipt === null ? {} : { ETag: part.receipt }) }));
    // `NoSuchUpload`: the answer to an earlier try was lost. The object itself says whether it went well.
    await this.#link.find(
      "Putting an export together",
      ["NoSuchUpload"],
      (s3, options) =>
        s3.completeMultipartUpload(
          { Bucket: this.#link.names.bucket, Key: key, UploadId: uploadId, MultipartUpload: { Parts } },
          options,
        ),
      { patient: true },
    );
  }

  /** A multipart upload has at least one part. */
  async #putEmpty(): Promise<void> {
    const { key, uploadId, mark, mediaType, disposition } = this.#ticket;
    await this.#link.ask("Writing an empty export", (s3, options) =>
      s3.putObject(
        {
          Bucket: this.#link.names.bucket,
          Key: key,
          Body: new Uint8Array(0),
          ContentType: mediaType,
          ContentDisposition: disposition,
          Metadata: { [MARK_NAME]: mark },
        },
        options,
      ),
    );
    await abortUpload(this.#link, key, uploadId);
  }

  #take(bytes: number): Uint8Array {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare !== undefined && spare.byteLength >= bytes ? spare : Buffer.allocUnsafeSlow(bytes);
  }
}

function closed(): ReplicaError {
  return new ReplicaError("STOPPED", "The export is not written any more");
}
