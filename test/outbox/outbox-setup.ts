import { MemoryObjectStore, type ObjectStore } from "@drakkar.software/starfish-server";
import { expect } from "vitest";
import type { RemoteConfig } from "../../src/config.js";
import type { OutboxStatus } from "../../src/manager/collection-status.js";
import type { ReplicaManagerOptions } from "../../src/manager/manager-options.js";
import { collection } from "../support/collection.js";
import type { Primary } from "../support/primary.js";
import { type Replica, remote, startReplica } from "../support/replica.js";

type Json = Record<string, unknown>;

interface OutboxSetup extends Omit<ReplicaManagerOptions, "onError"> {
  /** `<origin>/v1` of the primary, or of what stands in front of it. */
  readonly url: string;
  /** What the store holds; hand it in again for the next process. Default: nothing. */
  readonly data?: Map<string, string>;
  /** Default: a MemoryObjectStore over `data`. */
  readonly store?: ObjectStore;
  readonly remote?: Partial<RemoteConfig>;
}

/** A replica server with one collection, `posts`, that clients write to. Its manager is not started. */
export async function startOutbox({ url, data, store, remote: overrides, ...options }: OutboxSetup): Promise<Replica> {
  return await startReplica({
    collections: [collection("posts")],
    remotes: { posts: remote(url, "posts", { writeMode: "bidirectional", intervalMs: 60_000, ...overrides }) },
    store: store ?? new MemoryObjectStore(data ?? new Map()),
    backOff: { baseMs: 20, capMs: 100 },
    requestTimeoutMs: 2_000,
    ...options,
  });
}

/** What a client reads at the replica. */
export async function localData(replica: Replica): Promise<Json> {
  return (await replica.get("/pull/posts/doc")).body.data;
}

/** A client that reads, edits and pushes until the replica says 200. Resolves with the hash of what it wrote. */
export async function edit(replica: Replica, change: (data: Json) => Json): Promise<string> {
  for (;;) {
    const { body } = await replica.get("/pull/posts/doc");
    const data = JSON.parse(JSON.stringify(change(body.data)));
    const answer = await replica.push("/push/posts/doc", { data, baseHash: body.hash === "" ? null : body.hash });
    if (answer.status === 200) return answer.body.hash;
    expect(answer.status).toBe(409);
  }
}

/** Sets fields; `undefined` removes one. */
export async function write(replica: Replica, fields: Json): Promise<string> {
  return await edit(replica, (data) => ({ ...data, ...fields }));
}

/** A push without a look first, as clients of a write-only collection do. Resolves with the hash. */
export async function pushBlind(replica: Replica, data: Json, baseHash: string | null): Promise<string> {
  const { status, body } = await replica.push("/push/posts/doc", { data, baseHash });
  expect(status).toBe(200);
  return body.hash;
}

export function outbox(replica: Replica): OutboxStatus {
  const status = replica.manager.status()[0]?.outbox;
  if (!status) throw new Error("The collection has no outbox");
  return status;
}

/** Another writer at the primary, who overwrites nothing that he has not seen. */
export async function writeThere(primary: Primary, fields: Json): Promise<void> {
  for (;;) {
    const { data, hash } = await primary.read("posts");
    const body = JSON.stringify({ data: { ...data, ...fields }, baseHash: hash === "" ? null : hash });
    const headers = { "content-type": "application/json" };
    const { status } = await fetch(`${primary.url}/push/posts/doc`, { method: "POST", headers, body });
    if (status === 200) return;
    expect(status).toBe(409);
  }
}
