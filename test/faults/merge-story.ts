import { type ObjectStore, push } from "@drakkar.software/starfish-server";
import { createReplicaServerPlugin, type ReplicaServerPlugin } from "../../src/plugin.js";
import { collection } from "../support/collection.js";
import { hostile } from "../support/hostile.js";
import type { HostileServer } from "../support/hostile-server.js";
import { remote } from "../support/replica.js";
import { dyingStore } from "./dying-store.js";
import type { Document, Merge } from "./merge-table.js";

const KEY = "posts/doc";
const PULL = "/v1/pull/posts/doc";

/** A bidirectional document of one replica, process after process, and its primary. */
export class MergeStory {
  readonly data: Map<string, string> = new Map();
  readonly merge: Merge;
  readonly #server: HostileServer;
  #plugin: ReplicaServerPlugin;
  #store: ObjectStore;

  private constructor(server: HostileServer, merge: Merge) {
    this.#server = server;
    this.merge = merge;
    this.#store = dyingStore(this.data).store;
    this.#plugin = this.#begin();
  }

  /** A story up to where both sides have changed, and the merge is still to come. */
  static async start(server: HostileServer, merge: Merge): Promise<MergeStory> {
    const story = new MergeStory(server, merge);
    if (merge.base) {
      story.primaryHas(merge.base);
      await story.sync();
    }
    const { local } = merge;
    if (local) await story.clientWrites(() => local);
    story.primaryHas(merge.remote);
    return story;
  }

  /** A new process over what the last one left. */
  restart(store: ObjectStore = dyingStore(this.data).store): void {
    this.#store = store;
    this.#plugin = this.#begin();
  }

  #begin(): ReplicaServerPlugin {
    return createReplicaServerPlugin({
      store: this.#store,
      syncConfig: { version: 1, collections: [collection("posts")] },
      collections: { posts: remote(this.#server.url, "posts", { writeMode: "bidirectional" }) },
    });
  }

  primaryHas(document: Document): void {
    this.#server.on(PULL, hostile.document(document));
  }

  primaryRefuses(): void {
    this.#server.on(PULL, hostile.status(403));
  }

  sync(): Promise<void> {
    return this.#plugin.manager.syncNow("posts");
  }

  stop(): Promise<void> {
    return this.#plugin.manager.stop();
  }

  /** What readers are given. */
  document(): Document | null {
    return JSON.parse(this.data.get(KEY) ?? "null")?.data ?? null;
  }

  /** The host's part of a push: the hook first. Rejects when it does not let the write in. */
  async admit(data: Document, baseHash: string | null): Promise<void> {
    const rawBody = JSON.stringify({ data, baseHash });
    const decision = await this.#plugin.interceptPush?.({ collection: "posts", params: {}, rawBody });
    if (decision?.action !== "proceed") throw new Error(`The write was not let in: ${JSON.stringify(decision)}`);
  }

  /** The rest of the host's part; `false` for a 409. */
  async store(data: Document, baseHash: string | null): Promise<boolean> {
    return "hash" in (await push(this.#store, KEY, data, baseHash));
  }

  /** A client that reads, edits and pushes until it is let in. */
  async clientWrites(edit: (data: Document) => Document): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const { data = {}, hash = null } = JSON.parse(this.data.get(KEY) ?? "{}");
      const next = edit(data);
      await this.admit(next, hash);
      if (await this.store(next, hash)) return;
    }
    throw new Error("The client lost five times");
  }
}
