import { Buffer } from "node:buffer";
import { pipeline, type Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { ReplicaError } from "../errors.js";
import { describeUrl } from "./describe-url.js";

/** What {@link decode} can undo. */
export const ACCEPTED_ENCODINGS = "gzip, deflate, br";

/** The stream as it was before `Content-Encoding`. */
export function decode(body: Readable, encoding: string | null, url: string): Readable {
  switch (encoding?.trim().toLowerCase() ?? "") {
    case "":
    case "identity":
      return body;
    case "gzip":
    case "x-gzip":
      return pipeline(body, createGunzip(), reportedByReading);
    case "deflate":
      return pipeline(body, createInflate(), reportedByReading);
    case "br":
      return pipeline(body, createBrotliDecompress(), reportedByReading);
    default:
      throw new ReplicaError(
        "ANSWER_INVALID",
        `${describeUrl(url)} answered with Content-Encoding "${encoding}", which was not asked for`,
      );
  }
}

/** A pipeline's failure reaches whoever reads its last stream. */
function reportedByReading(): void {}

/**
 * The whole body as text, read as long as it stays within the limit: a compressed bomb costs no more than the limit.
 * @throws ANSWER_TOO_LARGE
 */
export async function readText(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  url: string,
): Promise<{ text: string; bytes: number }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes, url);
    chunks.push(chunk);
  }
  return { text: Buffer.concat(chunks, bytes).toString("utf8"), bytes };
}

export function tooLarge(maxBytes: number, url: string): ReplicaError {
  return new ReplicaError("ANSWER_TOO_LARGE", `${describeUrl(url)} answered with more than ${maxBytes} bytes`, {
    hint: "Raise maxDocumentBytes if documents of this size are expected.",
  });
}
