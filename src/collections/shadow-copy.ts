import { ReplicaError } from "../errors.js";
import type { DocumentContent } from "../modes/document-content.js";
import { mergeThreeWay } from "../modes/three-way-merge.js";
import { documentHash } from "../protocol/canonical-json.js";
import type { CollectionStore } from "./collection-store.js";
import type { LocalCopy, LocalState } from "./local-copy.js";
import type { MergeableCopy } from "./merge-state.js";
import { parseShadow, type Shadow, serialiseShadow } from "./parse-shadow.js";

/** The clients' document, and what stands beside it. */
interface Sides {
  readonly clients: LocalState;
  /** `null`: nothing was merged yet. */
  readonly shadow: Shadow | null;
}

/**
 * The local side of a merge where clients only write: they cannot read what others changed, so their own document must stay as they wrote
 * it. As long as nobody else writes at the primary, this is the clients' document. A merge is kept beside it, together with the clients'
 * document that went into it, and later writes of clients are folded in by each reader: their changes since then, on top of what was
 * merged. Reading writes nothing, and both are one value, so that no crash can part them: folding changes in that the merge has already
 * would hide that a client took one back.
 */
export class ShadowCopy implements MergeableCopy {
  readonly #clients: LocalCopy;
  readonly #store: CollectionStore;
  readonly #key: string;
  /** The last fold. Both sides are asked for far more often than they change. */
  #fold: { readonly shadow: string; readonly clientsHash: string; readonly content: DocumentContent } | null = null;

  constructor(clients: LocalCopy, store: CollectionStore, key: string) {
    this.#clients = clients;
    this.#store = store;
    this.#key = key;
  }

  /**
   * @throws STATE_CORRUPT where the merge cannot be read: without it others' fields would be erased
   */
  async read(): Promise<LocalState> {
    const { clients, shadow } = await this.#sides();
    if (!shadow || !clients.document) return clients;
    const document = this.#folded(shadow, clients.document);
    return { document, baseHash: document.hash };
  }

  async readHash(): Promise<string | null> {
    return (await this.read()).document?.hash ?? null;
  }

  /** Stores what a merge gave; the clients' document stays as it is. Not for two callers at once. */
  async write(content: DocumentContent, expected: LocalState): Promise<boolean> {
    const { clients, shadow } = await this.#sides();
    const now = shadow && clients.document ? this.#folded(shadow, clients.document) : clients.document;
    if (now?.hash !== expected.document?.hash) return false;
    await this.#store.put(this.#key, serialiseShadow({ merged: content, folded: clients.document }));
    return true;
  }

  async #sides(): Promise<Sides> {
    const clients = await this.#clients.read();
    const raw = await this.#store.get(this.#key);
    if (!raw) return { clients, shadow: null };
    const shadow = parseShadow(raw);
    if (!shadow) throw unreadable(this.#key);
    return { clients, shadow };
  }

  #folded({ text, merged, folded }: Shadow, clients: DocumentContent): DocumentContent {
    if (folded?.hash === clients.hash) return merged;
    const last = this.#fold;
    if (last?.clientsHash === clients.hash && last.shadow === text) return last.content;
    const data = mergeThreeWay({ base: folded?.data ?? null, local: merged.data, remote: clients.data });
    const content: DocumentContent = { data, hash: documentHash(data), proof: null };
    this.#fold = { shadow: text, clientsHash: clients.hash, content };
    return content;
  }
}

function unreadable(key: string): ReplicaError {
  return new ReplicaError(
    "STATE_CORRUPT",
    `the merged document "${key}" could not be read, and nothing is sent without it`,
    {
      retryable: true,
      hint: "Delete it together with the collection's record: the primary is then pulled and merged without a base.",
    },
  );
}
