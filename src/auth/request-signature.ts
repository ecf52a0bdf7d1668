import { createHash, randomBytes } from "node:crypto";
import { HEADER } from "../protocol/wire.js";
import type { SigningKey } from "./ed25519.js";

/** What a request signature covers. */
export interface SignedParts {
  /** In capitals. */
  readonly method: string;
  readonly url: URL;
  /** The bytes that are sent; a string stands for its UTF-8. Nothing and empty are the same. */
  readonly body: string | Uint8Array | undefined;
  /** Unix milliseconds, whole. */
  readonly ts: number;
  /** Base64. */
  readonly nonce: string;
}

const EMPTY_HASH = createHash("sha256").digest("hex");

/**
 * The text that a request signature signs: a domain tag and the canonical JSON of method, path with query, SHA-256 of
 * the body, host with port, time and nonce. The keys stand in canonical order already; the hash and the nonce need no
 * escaping.
 */
export function requestSigningInput({ method, url, body, ts, nonce }: SignedParts): string {
  const hash = body === undefined || body.length === 0 ? EMPTY_HASH : createHash("sha256").update(body).digest("hex");
  const path = JSON.stringify(url.pathname + url.search);
  const host = JSON.stringify(url.host);
  return `starfish-req-v1\n{"b":"${hash}","h":${host},"m":${JSON.stringify(method)},"nonce":"${nonce}","p":${path},"ts":${ts}}`;
}

/** The three headers that sign a request at `ts`, with a nonce of their own: good for one request, once. */
export function signatureHeaders(parts: Omit<SignedParts, "nonce">, key: SigningKey): Record<string, string> {
  const nonce = randomBytes(16).toString("base64");
  const signature = key.sign(Buffer.from(requestSigningInput({ ...parts, nonce })));
  return {
    [HEADER.signature]: Buffer.from(signature.buffer, signature.byteOffset, signature.byteLength).toString("base64"),
    [HEADER.timestamp]: String(parts.ts),
    [HEADER.nonce]: nonce,
  };
}
