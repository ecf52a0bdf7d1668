import type { DocumentContent } from "../modes/document-content.js";
import type { AuthorProof } from "../protocol/author-proof.js";
import { isDocumentHash } from "../protocol/document-hash.js";
import { isJsonObject } from "../protocol/json-object.js";
import type { Base, BaseRecord } from "./base-record.js";
import type { DeadLetter } from "./dead-letter.js";
import type { MergeIntent } from "./merge-intent.js";

export const RECORD_VERSION = 1;

/** Reads a stored record; `null` for anything that is not one as a whole. A half understood record would be worse than none. */
export function parseRecord(raw: string): BaseRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    return null;
  }
  if (!isJsonObject(value) || value.v !== RECORD_VERSION) return null;
  const base = optional(value.base, parseBase);
  const intent = optional(value.intent, parseIntent);
  const deadLetter = optional(value.deadLetter, parseDeadLetter);
  if (!Array.isArray(value.sent)) return null;
  const sent = value.sent.map(parseContent);
  if (base === undefined || intent === undefined || deadLetter === undefined) return null;
  const whole = sent.filter((content) => content !== undefined);
  if (whole.length !== sent.length) return null;
  const dropped = typeof value.dropped === "string" ? value.dropped : null;
  return { base, intent, sent: whole, deadLetter, dropped, replaced: value.replaced === true };
}

/** The author's proof in a record or a stored value; `null` for none. */
function parseProof(value: unknown): AuthorProof | null {
  if (!isJsonObject(value) || typeof value.pubkey !== "string" || typeof value.signature !== "string") return null;
  return { pubkey: value.pubkey, signature: value.signature };
}

/** `null` where there is nothing, `undefined` where there is something else. */
function optional<T>(value: unknown, parse: (value: unknown) => T | undefined): T | null | undefined {
  return value === null || value === undefined ? null : parse(value);
}

function parseBase(value: unknown): Base | undefined {
  if (!isJsonObject(value)) return undefined;
  const { data, remoteHash, localHash, filtered, proof } = value;
  if (!isJsonObject(data) || !isDocumentHash(remoteHash) || typeof localHash !== "string") return undefined;
  if (typeof filtered !== "boolean") return undefined;
  return { data, remoteHash, localHash, filtered, proof: parseProof(proof) };
}

function parseIntent(value: unknown): MergeIntent | undefined {
  const base = parseBase(value);
  if (!base || !isJsonObject(value)) return undefined;
  return { ...base, fromHash: typeof value.fromHash === "string" ? value.fromHash : null };
}

/** `undefined` for anything else than a document's content. */
export function parseContent(value: unknown): DocumentContent | undefined {
  if (!isJsonObject(value) || !isJsonObject(value.data) || typeof value.hash !== "string") return undefined;
  return { data: value.data, hash: value.hash, proof: parseProof(value.proof) };
}

function parseDeadLetter(value: unknown): DeadLetter | undefined {
  if (!isJsonObject(value)) return undefined;
  const { code, status, message, at, hash } = value;
  if (typeof code !== "string" || typeof message !== "string" || typeof at !== "string" || typeof hash !== "string") {
    return undefined;
  }
  return { code: code as DeadLetter["code"], status: typeof status === "number" ? status : null, message, at, hash };
}
