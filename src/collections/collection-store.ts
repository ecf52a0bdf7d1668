import { type ObjectStore, push, type StoreContext } from "@drakkar.software/starfish-server";
import { toReplicaError } from "../errors.js";
import type { DocumentContent } from "../modes/document-content.js";
import { JSON_TYPE } from "../protocol/wire.js";
import type { CollectionSettings } from "./collection-settings.js";

/**
 * The host's store as one collection sees it: every call carries the host's context, and every failure says what was done to which key.
 * @throws LOCAL_STORE
 */
export class CollectionStore {
  readonly #store: ObjectStore;
  readonly #name: string;
  readonly #context: Omit<StoreContext, "action">;

  constructor(store: ObjectStore, { name, collection, namespace }: CollectionSettings) {
    this.#store = store;
    this.#name = name;
    const scope = namespace === null ? {} : { namespace };
    this.#context = { collection, ...scope, params: {}, identity: null, roles: [] };
  }

  async get(key: string): Promise<string | null> {
    return await this.#guard("reading", key, () => this.#store.getString(key, { ...this.#context, action: "pull" }));
  }

  async put(key: string, body: string): Promise<void> {
    await this.#guard("writing", key, () =>
      this.#store.put(key, body, { contentType: JSON_TYPE }, { ...this.#context, action: "push" }),
    );
  }

  async delete(key: string): Promise<void> {
    await this.#guard("removing", key, () => this.#store.delete(key, { ...this.#context, action: "delete" }));
  }

  /** The host's own `push`: one writer of a key at a time. `false`: the key holds something else than `baseHash`. */
  async push(key: string, { data, hash, proof }: DocumentContent, baseHash: string | null): Promise<boolean> {
    const context: StoreContext = { ...this.#context, action: "push" };
    const result = await this.#guard("writing", key, () =>
      push(this.#store, key, data, baseHash, proof ?? undefined, false, false, hash, context),
    );
    return "hash" in result;
  }

  async #guard<T>(what: string, key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toReplicaError(error, "LOCAL_STORE", `${this.#name}: ${what} "${key}" in the local store failed`);
    }
  }
}
