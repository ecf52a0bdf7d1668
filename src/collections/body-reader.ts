import { Buffer } from "node:buffer";
import { ReplicaError } from "../errors.js";
import { describeUrl } from "../http/describe-url.js";

/**
 * The whole body as text, read as long as it stays within the limit: a compressed bomb costs no more than the limit.
 * @throws ANSWER_TOO_LARGE; ANSWER_INVALID for bytes that are not UTF-8
 */
export async function readDocument(
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
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks, bytes)), bytes };
  } catch {
    throw new ReplicaError("ANSWER_INVALID", `${describeUrl(url)} answered with bytes that are not UTF-8`, {
      retryable: true,
    });
  }
}

/** Enough of an error's body to relay; nothing about it is worth hiding the status. */
const MAX_ERROR_BYTES = 64 * 1024;

/** The body of an answer that is no success: as much as there is of it, whatever it is. Never rejects. */
export async function readErrorText(body: AsyncIterable<Uint8Array>): Promise<{ text: string; bytes: number }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      chunks.push(chunk);
      if (bytes > MAX_ERROR_BYTES) break;
    }
  } catch {
    // Cut off: the status has said what matters.
  }
  return { text: Buffer.concat(chunks).toString("utf8"), bytes };
}

export function tooLarge(maxBytes: number, url: string): ReplicaError {
  return new ReplicaError("ANSWER_TOO_LARGE", `${describeUrl(url)} answered with more than ${maxBytes} bytes`, {
    hint: "Raise maxDocumentBytes if documents of this size are expected.",
  });
}
