import type { DocumentContent } from "../modes/document-content.js";
import { sanitise } from "../modes/sanitise.js";
import { parseAuthorProof } from "../protocol/author-proof.js";
import { documentHash } from "../protocol/canonical-json.js";
import { isJsonObject, type JsonObject } from "../protocol/json-object.js";

/** A client's push as the primary will understand it. */
export interface PushBody extends DocumentContent {
  readonly baseHash: string | null;
}

/**
 * Reads a push's raw body. `null` for one that the primary is going to refuse, or that it would store otherwise than we can tell: it is
 * forwarded all the same, and the primary says what is wrong with it.
 */
export function parsePushBody(rawBody: string): PushBody | null {
  let body: unknown;
  try {
    body = JSON.parse(rawBody);
  } catch {
    return null;
  }
  if (!isJsonObject(body) || !isJsonObject(body.data)) return null;
  const { data, baseHash = null } = body;
  if (baseHash !== null && typeof baseHash !== "string") return null;
  const clean = sanitiseOrNull(data as JsonObject);
  if (!clean) return null;
  const proof = clean === data ? (parseAuthorProof(body) ?? null) : null;
  return { data: clean, hash: documentHash(clean), proof, baseHash };
}

function sanitiseOrNull(data: JsonObject): JsonObject | null {
  try {
    return sanitise(data);
  } catch {
    return null;
  }
}
