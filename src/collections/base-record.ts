import type { AuthorProof } from "../modes/document-content.js";
import { isJsonObject, type JsonObject } from "../protocol/json-object.js";
import type { CollectionStore } from "./collection-store.js";

/** The primary's document that the local one was merged with, and the two hashes that belong to it. */
export interface Base {
  readonly data: JsonObject;
  /** The primary's hash of it: the next `If-None-Match`. */
  readonly remoteHash: string;
  /** Hash of the local document right after the merge. */
  readonly localHash: string;
  /** The primary left fields out for us. */
  readonly filtered: boolean;
  /** The primary's proof of it. */
  readonly proof: AuthorProof | null;
}

export interface BaseRecord {
  readonly base: Base | null;
  /** A merge that is being written: becomes `base` as soon as the local document has its `localHash`. */
  readonly intent: Base | null;
}

const RECORD_VERSION = 1;

/** Reads and writes our own record about one collection, beside its document in the same store. */
export class BaseRecords {
  readonly #store: CollectionStore;
  readonly #key: string;

  constructor(store: CollectionStore, key: string) {
    this.#store = store;
    this.#key = key;
  }

  /** A value that is no record counts as none: the next merge then has no base, and loses nobody's field. */
  async load(): Promise<BaseRecord> {
    return parseRecord(await this.#store.get(this.#key));
  }

  /** Removes the record. */
  async forget(): Promise<void> {
    await this.#store.delete(this.#key);
  }

  async save(record: BaseRecord): Promise<void> {
    await this.#store.put(this.#key, JSON.stringify({ v: RECORD_VERSION, ...record }));
  }
}

function parseRecord(raw: string | null): BaseRecord {
  let value: unknown = null;
  try {
    value = JSON.parse(raw ?? "null");
  } catch {}
  if (!isJsonObject(value) || value.v !== RECORD_VERSION) return { base: null, intent: null };
  return { base: parseBase(value.base), intent: parseBase(value.intent) };
}

function parseBase(value: unknown): Base | null {
  if (!isJsonObject(value)) return null;
  const { data, remoteHash, localHash, filtered, proof } = value;
  if (!isJsonObject(data) || typeof remoteHash !== "string" || typeof localHash !== "string") return null;
  return { data, remoteHash, localHash, filtered: filtered === true, proof: parseProof(proof) };
}

function parseProof(value: unknown): AuthorProof | null {
  if (!isJsonObject(value) || typeof value.pubkey !== "string" || typeof value.signature !== "string") return null;
  return { pubkey: value.pubkey, signature: value.signature };
}
