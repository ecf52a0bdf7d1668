import { createHash } from "node:crypto";
import type { DocumentContent } from "../modes/document-content.js";
import { authorFields, parseAuthorProof } from "../protocol/author-proof.js";
import { isDocumentHash } from "../protocol/document-hash.js";
import { isJsonObject } from "../protocol/json-object.js";
import type { CollectionStore } from "./collection-store.js";

/** What stands under a document's key. */
export interface LocalState {
  /** `null`: there is none, or what is there is no stored document. */
  readonly document: DocumentContent | null;
  /** What a write must name as its `baseHash`; `undefined`: the host's `push` cannot replace such a value. */
  readonly baseHash: string | null | undefined;
}

/** Characters from which on a digest is faster than parsing. */
const WORTH_DIGESTING = 2_048;

/** `v` of a stored document. */
const DOCUMENT_VERSION = 1;

/**
 * The local copy of one document. Writes go through the host's `push`, as its clients' do: it lets one writer of a key in at a time and
 * compares hashes.
 */
export class LocalCopy {
  readonly #store: CollectionStore;
  readonly key: string;
  #seen: { readonly digest: string; readonly hash: string | null } | null = null;

  constructor(store: CollectionStore, key: string) {
    this.#store = store;
    this.key = key;
  }

  async read(): Promise<LocalState> {
    return parseStored(await this.#store.get(this.key));
  }

  /**
   * The hash of the document, or `null` where `read` would give none. Every poll asks: a text that was read before is recognised by its
   * digest, which is several times faster than parsing it.
   */
  async readHash(): Promise<string | null> {
    const raw = await this.#store.get(this.key);
    if (!raw || raw.length < WORTH_DIGESTING) return parseStored(raw).document?.hash ?? null;
    const digest = createHash("sha256").update(raw).digest("base64");
    if (this.#seen?.digest !== digest) this.#seen = { digest, hash: parseStored(raw).document?.hash ?? null };
    return this.#seen.hash;
  }

  /** Replaces what `expected` says is there. `false`: somebody else wrote meanwhile, and nothing was changed. */
  async write(content: DocumentContent, expected: LocalState): Promise<boolean> {
    if (expected.baseHash !== undefined) return await this.#store.push(this.key, content, expected.baseHash);
    await this.#store.put(this.key, serialise(content));
    return true;
  }

  async remove(): Promise<void> {
    await this.#store.delete(this.key);
  }
}

function parseStored(raw: string | null): LocalState {
  // The host takes an empty value for none.
  if (!raw) return { document: null, baseHash: null };
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    // The host takes what it cannot parse for a document with an empty hash.
    return { document: null, baseHash: "" };
  }
  if (value === null) return { document: null, baseHash: "" };
  if (!isJsonObject(value) || typeof value.hash !== "string") return { document: null, baseHash: undefined };
  const { data, hash } = value;
  if (!isJsonObject(data) || !isDocumentHash(hash)) return { document: null, baseHash: hash };
  return { document: { data, hash, proof: parseAuthorProof(value) ?? null }, baseHash: hash };
}

function serialise({ data, hash, proof }: DocumentContent): string {
  return JSON.stringify({ v: DOCUMENT_VERSION, data, ts: Date.now(), hash, ...authorFields(proof) });
}
