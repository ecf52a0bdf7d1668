import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { RemoteConfig } from "../../src/config.js";
import { collection } from "../support/collection.js";
import { type Primary, startPrimary } from "../support/primary.js";
import { type Replica, remote, startReplica } from "../support/replica.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { waitFor } from "../support/wait.js";

interface Setup {
  readonly primary?: Primary;
  readonly url?: string;
  readonly data?: Map<string, string>;
  readonly overrides?: Partial<RemoteConfig>;
}

async function setUp({ primary: given, url, data = new Map(), overrides = {} }: Setup = {}) {
  const primary = given ?? (await startPrimary());
  const replica = await startReplica({
    collections: [collection("posts")],
    remotes: {
      posts: remote(url ?? primary.url, "posts", { writeMode: "bidirectional", intervalMs: 60_000, ...overrides }),
    },
    store: new MemoryObjectStore(data),
    backOff: { baseMs: 20, capMs: 100 },
    requestTimeoutMs: 2_000,
  });
  return { primary, replica, data };
}

async function write(replica: Replica, change: Record<string, unknown>): Promise<void> {
  for (;;) {
    const { body } = await replica.get("/pull/posts/doc");
    const data = JSON.parse(JSON.stringify({ ...body.data, ...change }));
    const { status } = await replica.push("/push/posts/doc", { data, baseHash: body.hash === "" ? null : body.hash });
    if (status === 200) return;
    expect(status).toBe(409);
  }
}

const at = async (primary: Primary) => (await primary.read("posts")).data;
const outbox = (replica: Replica) => replica.manager.status()[0]?.outbox;

describe("the outbox of a bidirectional collection", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("sends a client's write to the primary soon after the client's 200", async () => {
    const { primary, replica } = await setUp();
    replica.manager.start();
    await write(replica, { a: 1 });
    await waitFor(async () => (await at(primary)).a === 1);
    await waitFor(() => outbox(replica)?.pendingSince === null);
    expect(outbox(replica)).toMatchObject({ state: "idle", sent: 1, deadLetter: null });
  });

  it("makes one push of several local writes", async () => {
    const { primary, replica } = await setUp();
    replica.manager.start();
    await write(replica, { n: 0 });
    await waitFor(async () => (await at(primary)).n === 0);
    primary.setDelayMs(300);
    for (let n = 1; n <= 10; n++) await write(replica, { n });
    await waitFor(async () => (await at(primary)).n === 10);
    expect(primary.pushes.length).toBeLessThanOrEqual(4);
  });

  it("sends after an outage what was written during it, merged with what the primary got meanwhile", async () => {
    const primary = await startPrimary();
    const proxy = await startTcpProxy(primary.port);
    const { replica } = await setUp({ primary, url: `${proxy.origin}/v1` });
    await primary.write("posts", { a: 1, b: 1 });
    replica.manager.start();
    await waitFor(async () => (await replica.get("/pull/posts/doc")).body.data.a === 1);
    await proxy.refuse();
    await write(replica, { a: 2, c: 3 });
    await primary.write("posts", { a: 1, b: 2 });
    await waitFor(() => replica.errors.length > 0);
    await proxy.pass();
    await waitFor(async () => JSON.stringify(await at(primary)).length > 15);
    expect(await at(primary)).toEqual({ a: 2, b: 2, c: 3 });
    await waitFor(async () => (await replica.get("/pull/posts/doc")).body.data.b === 2);
  });

  it("finds at its start what an earlier process had not sent", async () => {
    const primary = await startPrimary();
    const data = new Map<string, string>();
    const first = await setUp({ primary, data });
    await primary.write("posts", { a: 1 });
    await first.replica.manager.syncNow("posts");
    await write(first.replica, { mine: 1 });
    await first.replica.stop();
    const second = await setUp({ primary, data });
    second.replica.manager.start();
    await waitFor(async () => (await at(primary)).mine === 1);
    expect(await at(primary)).toEqual({ a: 1, mine: 1 });
  });

  it("merges three ways after a 409 and sends again, and is not pending for ever", async () => {
    const { primary, replica } = await setUp();
    await primary.write("posts", { a: 1, b: 1 });
    await replica.manager.syncNow("posts");
    await write(replica, { a: 2 });
    await primary.write("posts", { a: 1, b: 2 });
    replica.manager.start();
    await waitFor(async () => (await at(primary)).a === 2);
    expect(await at(primary)).toEqual({ a: 2, b: 2 });
    await waitFor(() => outbox(replica)?.pendingSince === null);
    const { pushes } = primary;
    await replica.manager.syncNow("posts");
    await replica.manager.syncNow("posts");
    expect(primary.pushes).toBe(pushes);
  });

  it("does not lose an edit made after a push whose answer was lost", async () => {
    const primary = await startPrimary();
    const proxy = await startTcpProxy(primary.port);
    const { replica } = await setUp({ primary, url: `${proxy.origin}/v1` });
    await primary.write("posts", { x: 0 });
    replica.manager.start();
    await waitFor(async () => (await replica.get("/pull/posts/doc")).body.data.x === 0);
    proxy.resetAfter(0);
    await write(replica, { x: 1 });
    await waitFor(async () => (await at(primary)).x === 1);
    await write(replica, { x: 2 });
    await primary.write("posts", { ...(await at(primary)), other: 1 });
    await proxy.pass();
    await waitFor(async () => (await at(primary)).x === 2);
    expect(await at(primary)).toEqual({ x: 2, other: 1 });
    expect(primary.pushes.filter(({ rawBody }) => rawBody.includes('"x":1')).length).toBe(1);
  });

  it("never sends a document that the primary filters for us, and says so as a dead letter", async () => {
    const primary = await startPrimary({
      collections: [collection("posts", { fieldPermissions: { secret: { readRoles: ["admin"] } } })],
    });
    const { replica } = await setUp({ primary });
    await primary.write("posts", { a: 1, secret: "s" });
    await replica.manager.syncNow("posts");
    await write(replica, { a: 2 });
    replica.manager.start();
    await waitFor(() => outbox(replica)?.deadLetter);
    expect(outbox(replica)?.deadLetter).toMatchObject({ code: "FILTERED_DOCUMENT", status: null });
    expect(primary.pushes).toHaveLength(0);
    expect(await at(primary)).toEqual({ a: 1, secret: "s" });
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ a: 2 });
    expect(await replica.manager.dropDeadLetter("posts")).toBe(true);
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ a: 1 });
    expect(outbox(replica)?.deadLetter).toBeNull();
  });

  it("keeps what the primary refuses as a dead letter, which a restart remembers and the operator retries", async () => {
    const primary = await startPrimary();
    const data = new Map<string, string>();
    const { replica } = await setUp({ primary, data });
    primary.failWith(413, {}, { when: "POST", body: JSON.stringify({ error: "Payload too large" }) });
    replica.manager.start();
    await write(replica, { a: 1 });
    await waitFor(() => outbox(replica)?.deadLetter);
    expect(outbox(replica)?.deadLetter).toMatchObject({ code: "PRIMARY_REFUSED", status: 413 });
    expect(outbox(replica)?.deadLetter?.message).toContain("Payload too large");
    expect(replica.errors).toMatchObject([{ name: "posts", error: { code: "PRIMARY_REFUSED", status: 413 } }]);
    await replica.stop();
    primary.failWith(null);
    const again = await setUp({ primary, data });
    again.replica.manager.start();
    await waitFor(() => outbox(again.replica)?.deadLetter);
    expect(primary.pushes).toHaveLength(0);
    expect(await again.replica.manager.retryDeadLetter("posts")).toBe(true);
    await waitFor(async () => (await at(primary)).a === 1);
    await waitFor(() => outbox(again.replica)?.deadLetter === null);
    expect(await again.replica.manager.retryDeadLetter("posts")).toBe(false);
    expect(await again.replica.manager.dropDeadLetter("posts")).toBe(false);
    await expect(again.replica.manager.retryDeadLetter("nope")).rejects.toMatchObject({ code: "UNKNOWN_COLLECTION" });
  });

  it("sends again by itself when a client writes after a refusal", async () => {
    const { primary, replica } = await setUp();
    primary.failWith(400, {}, { when: "POST", times: 1 });
    replica.manager.start();
    await write(replica, { a: 1 });
    await waitFor(() => outbox(replica)?.deadLetter);
    await write(replica, { b: 1 });
    await waitFor(async () => (await at(primary)).b === 1);
    expect(await at(primary)).toEqual({ a: 1, b: 1 });
  });

  it.each([401, 408, 429, 500, 503])("repeats after %i, which is no dead letter", async (status) => {
    const { primary, replica } = await setUp();
    primary.failWith(status, {}, { when: "POST", times: 2 });
    replica.manager.start();
    await write(replica, { a: 1 });
    await waitFor(async () => (await at(primary)).a === 1);
    expect(outbox(replica)?.deadLetter).toBeNull();
  });

  it("puts back what the primary has lost, once there is something to send", async () => {
    const { primary, replica } = await setUp();
    await primary.write("posts", { a: 1 });
    replica.manager.start();
    await waitFor(async () => (await replica.get("/pull/posts/doc")).body.data.a === 1);
    await primary.remove("posts");
    await write(replica, { b: 1 });
    await waitFor(async () => (await at(primary)).b === 1);
    expect(await at(primary)).toEqual({ a: 1, b: 1 });
  });

  it("merges by the collection's own rule", async () => {
    const rule = vi.fn(({ local, remote: theirs }) => ({ sum: (local.sum as number) + (theirs.sum as number) }));
    const { primary, replica } = await setUp({ overrides: { merge: rule } });
    await primary.write("posts", { sum: 1 });
    await replica.manager.syncNow("posts");
    await write(replica, { sum: 10 });
    await primary.write("posts", { sum: 2 });
    await replica.manager.syncNow("posts");
    expect(rule).toHaveBeenCalledExactlyOnceWith({ base: { sum: 1 }, local: { sum: 10 }, remote: { sum: 2 } });
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ sum: 12 });
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["returns a promise", async () => ({})],
    ["returns nothing", () => undefined],
    ["returns what JSON cannot hold", () => ({ n: 1n })],
  ])("changes nothing where that rule %s", async (_what, merge) => {
    const { primary, replica, data } = await setUp({
      overrides: { merge: merge as unknown as NonNullable<RemoteConfig["merge"]> },
    });
    await write(replica, { a: 1 });
    await primary.write("posts", { b: 1 });
    const before = JSON.stringify([...data]);
    await expect(replica.manager.syncNow("posts")).rejects.toMatchObject({ code: "MERGE_FAILED" });
    expect(JSON.stringify([...data])).toBe(before);
  });

  it("keeps a record it cannot read aside, reports it, and goes on", async () => {
    const primary = await startPrimary();
    const data = new Map([["_replica/posts", "{{{"]]);
    const { replica } = await setUp({ primary, data });
    await primary.write("posts", { a: 1 });
    await write(replica, { mine: 1 });
    replica.manager.start();
    await waitFor(async () => (await at(primary)).mine === 1);
    expect(await at(primary)).toEqual({ a: 1, mine: 1 });
    expect(replica.errors).toMatchObject([{ name: "posts", error: { code: "STATE_CORRUPT" } }]);
    const aside = [...data.keys()].filter((key) => key.startsWith("_replica/posts.corrupt-"));
    expect(aside.map((key) => data.get(key))).toEqual(["{{{"]);
  });
});

describe("the outbox of a push_only collection", () => {
  const overrides = { writeMode: "push_only", syncTriggers: [] } as const;
  const push = async (replica: Replica, data: Record<string, unknown>, baseHash: string | null) => {
    const { status, body } = await replica.push("/push/posts/doc", { data, baseHash });
    expect(status).toBe(200);
    return body.hash as string;
  };

  it("sends writes on from the hash of its own last push, without ever pulling", async () => {
    const { primary, replica } = await setUp({ overrides });
    replica.manager.start();
    const first = await push(replica, { n: 1 }, null);
    await waitFor(async () => (await at(primary)).n === 1);
    await push(replica, { n: 2 }, first);
    await waitFor(async () => (await at(primary)).n === 2);
    expect(primary.count("GET")).toBe(0);
    expect(primary.pushes.map(({ rawBody }) => JSON.parse(rawBody).baseHash)).toEqual([null, first]);
  });

  it("does not erase what another writer put there, and leaves the clients' own document as they wrote it", async () => {
    const { primary, replica } = await setUp({ overrides });
    replica.manager.start();
    const first = await push(replica, { n: 1 }, null);
    await waitFor(async () => (await at(primary)).n === 1);
    await primary.write("posts", { n: 1, other: "kept" });
    const second = await push(replica, { n: 2 }, first);
    await waitFor(async () => (await at(primary)).n === 2);
    expect(await at(primary)).toEqual({ n: 2, other: "kept" });
    const third = await push(replica, { n: 3 }, second);
    await waitFor(async () => (await at(primary)).n === 3);
    expect(await at(primary)).toEqual({ n: 3, other: "kept" });
    expect(JSON.parse((await replica.store.getString("posts/doc")) ?? "")).toMatchObject({
      data: { n: 3 },
      hash: third,
    });
  });

  it("is only a place to write to without a pushPath", async () => {
    const { primary, replica } = await setUp();
    const local = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: { url: primary.url, pullPath: "/pull/posts/doc", ...overrides } },
    });
    local.manager.start();
    await push(local, { n: 1 }, null);
    expect(local.manager.status()[0]?.outbox).toBeNull();
    expect(primary.requests).toHaveLength(0);
    await replica.stop();
  });
});
