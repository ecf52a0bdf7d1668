import { Buffer } from "node:buffer";
import { ReplicaError } from "../errors.js";
import { describeUrl } from "./describe-url.js";

/**
 * The whole body as text, read as long as it stays within the limit: a compressed bomb costs no more than the limit.
 * @throws ANSWER_TOO_LARGE; ANSWER_INVALID for bytes that are not UTF-8
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
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks, bytes)), bytes };
  } catch {
    throw new ReplicaError("ANSWER_INVALID", `${describeUrl(url)} answered with bytes that are not UTF-8`, {
      retryable: true,
    });
  }
}

export function tooLarge(maxBytes: number, url: string): ReplicaError {
  return new ReplicaError("ANSWER_TOO_LARGE", `${describeUrl(url)} answered with more than ${maxBytes} bytes`, {
    hint: "Raise maxDocumentBytes if documents of this size are expected.",
  });
}
