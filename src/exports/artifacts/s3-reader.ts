import type { Readable } from "node:stream";
import { ReplicaError } from "../../errors.js";
import type { ByteRange } from "../export-job.js";
import { mapS3Error } from "./map-s3-error.js";
import type { S3Link } from "./s3-link.js";

const PIECE_BYTES = 512 * 1024;
/** Answers in a row that broke off without a byte. */
const MAX_FAILURES = 3;

/**
 * The bytes of a finished object, in pieces of about 512 KiB with memory of their own. An answer that breaks off is gone on with where it
 * did. See `ArtifactStore.read`.
 * @param key `null` where the artifact is not in this bucket at all
 */
export async function* readObject(
  link: S3Link,
  key: string | null,
  range: ByteRange | null,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted();
  if (key === null) throw missing(`its place is not in the bucket "${link.names.bucket}"`);
  const scope = link.scope(signal);
  let position = range?.start ?? 0;
  let end = range === null ? null : range.end + 1;
  let etag: string | undefined;
  let failures = 0;
  let body: Readable | undefined;
  const abort = () => body?.destroy();
  scope.signal.addEventListener("abort", abort);
  const held = new HeldBytes();
  try {
    while (end === null || position < end) {
      const answer = await open(link, key, { position, end, etag, signal: scope.signal });
      body = answer.body;
      etag = answer.etag;
      end ??= position + answer.bytes;
      try {
        for await (const chunk of body as AsyncIterable<Uint8Array>) {
          scope.signal.throwIfAborted();
          position += chunk.byteLength;
          failures = 0;
          held.add(chunk);
          if (held.bytes >= PIECE_BYTES) yield held.take();
        }
        if (position < end) throw Object.assign(new Error("the answer ended too early"), { code: "ECONNRESET" });
      } catch (error) {
        if (scope.signal.aborted) throw scope.signal.reason;
        const mapped = mapS3Error(error, "Reading an export", link.names);
        failures += 1;
        if (!mapped.retryable || failures > MAX_FAILURES) throw mapped;
      }
    }
    if (held.bytes > 0) yield held.take();
  } finally {
    scope.signal.removeEventListener("abort", abort);
    scope.end();
    body?.destroy();
  }
}

interface Place {
  readonly position: number;
  /** `null` for the object's. */
  readonly end: number | null;
  /** Of the answer before, whose object it must be. */
  readonly etag: string | undefined;
  readonly signal: AbortSignal;
}

async function open(
  link: S3Link,
  key: string,
  place: Place,
): Promise<{ body: Readable; bytes: number; etag?: string }> {
  const { position, end, etag, signal } = place;
  const isPiece = position > 0 || end !== null;
  const answer = await link.find(
    "Reading an export",
    ["NoSuchKey", "NotFound"],
    (s3, options) =>
      s3.getObject(
        {
          Bucket: link.names.bucket,
          Key: key,
          ...(isPiece ? { Range: `bytes=${position}-${end === null ? "" : end - 1}` } : {}),
          ...(etag === undefined ? {} : { IfMatch: etag }),
        },
        options,
      ),
    { signal },
  );
  if (answer === null) throw missing(`"${key}" in the bucket "${link.names.bucket}"`);
  const body = answer.Body as Readable;
  const bytes = answer.ContentLength ?? 0;
  const isRight = !isPiece || (answer.ContentRange ?? "").startsWith(`bytes ${position}-`);
  if (!isRight || (end !== null && bytes !== end - position)) {
    body.destroy();
    throw new ReplicaError(
      "ARTIFACT_STORE",
      `The bucket "${link.names.bucket}" gave other bytes of "${key}" than asked for`,
      {
        hint: "The object was changed, or the server does not know `Range`: start the export again.",
      },
    );
  }
  return { body, bytes, ...(answer.ETag === undefined ? {} : { etag: answer.ETag }) };
}

/** What came in small pieces, until there is enough for one. */
class HeldBytes {
  bytes = 0;
  #chunks: Uint8Array[] = [];

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.bytes += chunk.byteLength;
  }

  take(): Uint8Array {
    const whole = new Uint8Array(this.bytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.byteLength;
    }
    this.#chunks = [];
    this.bytes = 0;
    return whole;
  }
}

function missing(where: string): ReplicaError {
  return new ReplicaError("ARTIFACT_MISSING", `The finished export is not there any more: ${where}`, {
    hint: "It was removed or moved, or the options name another store than then: bring it back, or start the export again.",
  });
}
