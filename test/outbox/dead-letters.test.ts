import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { describe, expect, it } from "vitest";
import { collection } from "../support/collection.js";
import { type Primary, startPrimary } from "../support/primary.js";
import { type Replica, remote, startReplica } from "../support/replica.js";
import { waitFor } from "../support/wait.js";
import { edit, localData, outbox, pushBlind, startOutbox, write } from "./outbox-setup.js";

const PUSH_ONLY = { writeMode: "push_only", syncTriggers: [] } as const;
const at = async (primary: Primary) => (await primary.read("posts")).data;
const stored = (replica: Replica) =>
  replica.store.getString("posts/doc").then((raw) => JSON.parse(raw ?? "null")?.data);

/** A started replica whose last write, `{ bad: 1 }` added, is a dead letter. `based`: on a document of the primary's. */
async function refused(options: { based: boolean; data?: Map<string, string>; mode?: object }) {
  const primary = await startPrimary();
  const replica = await startOutbox({
    url: primary.url,
    ...(options.data && { data: options.data }),
    remote: options.mode ?? {},
  });
  if (options.based) {
    await primary.write("posts", { a: 1 });
    await replica.manager.syncNow("posts");
  }
  replica.manager.start();
  primary.failWith(413, {}, { when: "POST" });
  const hash = options.mode ? await pushBlind(replica, { bad: 1 }, null) : await write(replica, { bad: 1 });
  await waitFor(() => outbox(replica).deadLetter);
  return { primary, replica, hash };
}

describe("a push that the primary refuses", () => {
  it.each([400, 403, 404, 405, 410, 413, 422])("with %i is a dead letter, sent once", async (status) => {
    const primary = await startPrimary();
    primary.failWith(status, {}, { when: "POST" });
    const replica = await startOutbox({ url: primary.url });
    replica.manager.start();
    const hash = await write(replica, { a: 1 });
    await waitFor(() => outbox(replica).deadLetter);
    expect(outbox(replica)).toMatchObject({
      state: "idle",
      pendingSince: expect.any(String),
      deadLetter: { code: "PRIMARY_REFUSED", status, hash, at: expect.any(String), message: expect.any(String) },
    });
    await replica.manager.syncNow("posts");
    await replica.manager.syncNow("posts");
    expect(primary.count("POST")).toBe(1);
    expect(replica.errors).toHaveLength(1);
    expect(await localData(replica)).toEqual({ a: 1 });
  });

  it.each([401, 408, 409, 425, 429, 500, 502, 503, 504])("with %i is sent again until it is taken", async (status) => {
    const primary = await startPrimary();
    primary.failWith(status, {}, { when: "POST", times: 3 });
    const replica = await startOutbox({ url: primary.url });
    replica.manager.start();
    await write(replica, { a: 1 });
    await waitFor(async () => (await at(primary)).a === 1);
    await waitFor(() => outbox(replica).pendingSince === null);
    expect(outbox(replica).deadLetter).toBeNull();
  });

  it("holds up nobody else", async () => {
    const primary = await startPrimary({ collections: [collection("posts"), collection("other")] });
    const mode = { writeMode: "bidirectional" } as const;
    const replica = await startReplica({
      collections: [collection("posts"), collection("other")],
      remotes: { posts: remote(primary.url, "posts", mode), other: remote(primary.url, "other", mode) },
      concurrency: 1,
    });
    primary.failWith(422, {}, { when: "POST /v1/push/posts" });
    replica.manager.start();
    for (const name of ["posts", "other"]) await replica.push(`/push/${name}/doc`, { data: { name }, baseHash: null });
    await waitFor(async () => (await primary.read("other")).data.name === "other");
    await waitFor(() => replica.manager.status()[0]?.outbox?.deadLetter);
    expect(replica.manager.status()[1]?.outbox?.deadLetter).toBeNull();
  });

  it("does not keep the primary's changes from coming in, and is asked once more for each", async () => {
    const { primary, replica } = await refused({ based: true });
    await primary.write("posts", { a: 2 });
    await replica.manager.syncNow("posts");
    expect(await localData(replica)).toEqual({ a: 2, bad: 1 });
    await waitFor(() => primary.count("POST") === 2);
    await waitFor(() => outbox(replica).deadLetter);
    expect(await at(primary)).toEqual({ a: 2 });
  });
});

describe("dropping a dead letter", () => {
  it("makes the local document the primary's again, in bidirectional with a base", async () => {
    const { primary, replica } = await refused({ based: true });
    expect(await replica.manager.dropDeadLetter("posts")).toBe(true);
    const { data, hash } = await primary.read("posts");
    expect((await replica.get("/pull/posts/doc")).body).toMatchObject({ data, hash });
    expect(outbox(replica)).toMatchObject({ deadLetter: null, pendingSince: null });
    primary.failWith(null);
    await write(replica, { good: 1 });
    await waitFor(async () => (await at(primary)).good === 1);
    expect(await at(primary)).toEqual({ a: 1, good: 1 });
  });

  it("keeps the first document unsent, and lets the primary's replace it, in bidirectional without a base", async () => {
    const { primary, replica } = await refused({ based: false });
    primary.failWith(null);
    expect(await replica.manager.dropDeadLetter("posts")).toBe(true);
    expect(await localData(replica)).toEqual({ bad: 1 });
    await replica.manager.syncNow("posts");
    await primary.write("posts", { a: 1 });
    await replica.manager.syncNow("posts");
    expect(await localData(replica)).toEqual({ a: 1 });
    expect(primary.pushes).toHaveLength(0);
    await waitFor(() => outbox(replica).pendingSince === null);
  });

  it("keeps the clients' document unsent until one writes again, in push_only", async () => {
    const data = new Map<string, string>();
    const { primary, replica, hash } = await refused({ based: false, data, mode: PUSH_ONLY });
    primary.failWith(null);
    expect(await replica.manager.dropDeadLetter("posts")).toBe(true);
    expect(await stored(replica)).toEqual({ bad: 1 });
    await replica.stop();
    const second = await startOutbox({ url: primary.url, data, remote: PUSH_ONLY });
    second.manager.start();
    await second.manager.syncNow("posts");
    await waitFor(() => outbox(second).lastAttemptAt !== null && outbox(second).state === "idle");
    expect(primary.pushes).toHaveLength(0);
    await pushBlind(second, { good: 1 }, hash);
    await waitFor(async () => (await at(primary)).good === 1);
  });

  it("survives a restart", async () => {
    const data = new Map<string, string>();
    const { primary, replica } = await refused({ based: true, data });
    expect(await replica.manager.dropDeadLetter("posts")).toBe(true);
    await replica.stop();
    primary.failWith(null);
    const second = await startOutbox({ url: primary.url, data });
    second.manager.start();
    await second.manager.syncNow("posts");
    await waitFor(() => outbox(second).state === "idle" && outbox(second).lastAttemptAt !== null);
    expect(await localData(second)).toEqual({ a: 1 });
    expect(primary.pushes).toHaveLength(0);
  });

  it("takes back no write that came after the refused one, sent or not", async () => {
    const { primary, replica } = await refused({ based: true });
    await replica.manager.stop();
    primary.failWith(null);
    await edit(replica, () => ({ a: 1, good: 1 }));
    expect(await replica.manager.dropDeadLetter("posts")).toBe(false);
    expect(await localData(replica)).toEqual({ a: 1, good: 1 });
    replica.manager.start();
    await waitFor(async () => (await at(primary)).good === 1);
    expect(await at(primary)).toEqual({ a: 1, good: 1 });
    await waitFor(() => outbox(replica).deadLetter === null);
  });

  it("loses no write that comes at the same moment, again and again", async () => {
    const { primary, replica } = await refused({ based: true });
    for (let round = 0; round < 20; round++) {
      await write(replica, { bad: round });
      await waitFor(() => outbox(replica).deadLetter);
      const field = `kept${round}`;
      const [, dropped] = await Promise.all([
        write(replica, { [field]: round }),
        replica.manager.dropDeadLetter("posts"),
      ]);
      const data = await localData(replica);
      expect(data[field], `round ${round}, dropped: ${dropped}`).toBe(round);
    }
    primary.failWith(null);
    await replica.manager.retryDeadLetter("posts");
    await waitFor(() => outbox(replica).pendingSince === null);
    expect((await at(primary)).kept19).toBe(19);
  });
});

describe("retrying a dead letter", () => {
  it("sends the document as it is now, and keeps what is refused again", async () => {
    const { primary, replica } = await refused({ based: true });
    expect(await replica.manager.retryDeadLetter("posts")).toBe(true);
    await waitFor(() => primary.count("POST") === 2);
    await waitFor(() => outbox(replica).deadLetter);
    primary.failWith(null);
    const [retried] = await Promise.all([replica.manager.retryDeadLetter("posts"), write(replica, { more: 1 })]);
    expect(retried).toBe(true);
    await waitFor(async () => (await at(primary)).more === 1);
    expect(await at(primary)).toEqual({ a: 1, bad: 1, more: 1 });
    await waitFor(() => outbox(replica).pendingSince === null);
    expect(outbox(replica).deadLetter).toBeNull();
  });

  it("is possible after a restart, which asks the primary nothing by itself", async () => {
    const data = new Map<string, string>();
    const { primary, replica } = await refused({ based: false, data, mode: PUSH_ONLY });
    await replica.stop();
    const posts = primary.count("POST");
    primary.failWith(null);
    const second = await startOutbox({ url: primary.url, data, remote: PUSH_ONLY });
    second.manager.start();
    await waitFor(() => outbox(second).deadLetter);
    expect(outbox(second).deadLetter).toMatchObject({ status: 413, code: "PRIMARY_REFUSED" });
    expect(primary.count("POST")).toBe(posts);
    expect(await second.manager.retryDeadLetter("posts")).toBe(true);
    await waitFor(async () => (await at(primary)).bad === 1);
  });

  it("is over when another writer has brought the same content to the primary", async () => {
    const { primary, replica } = await refused({ based: true });
    await primary.write("posts", { a: 1, bad: 1 });
    await replica.manager.syncNow("posts");
    await waitFor(() => outbox(replica).deadLetter === null);
    expect(outbox(replica).pendingSince).toBeNull();
    expect(primary.count("POST")).toBe(1);
  });
});

describe("a document that the primary filters for us", () => {
  const secretive = collection("posts", { fieldPermissions: { secret: { readRoles: ["admin"] } } });

  it.each(["bidirectional", "push_only"] as const)("is never sent in %s, whatever clients write", async (writeMode) => {
    const primary = await startPrimary({ collections: [secretive] });
    await primary.write("posts", { a: 1, secret: "s" });
    const replica = await startOutbox({
      url: primary.url,
      remote: { writeMode, syncTriggers: [] },
      store: new MemoryObjectStore(new Map()),
    });
    if (writeMode === "bidirectional") await replica.manager.syncNow("posts");
    replica.manager.start();
    let hash: string | null = null;
    for (let n = 0; n < 5; n++) {
      hash = writeMode === "push_only" ? await pushBlind(replica, { n }, hash) : await write(replica, { n });
      await waitFor(() => outbox(replica).deadLetter?.code === "FILTERED_DOCUMENT");
    }
    expect(await at(primary)).toEqual({ a: 1, secret: "s" });
    expect(primary.requests.filter(({ method, status }) => method === "POST" && status === 200)).toHaveLength(0);
    expect((await stored(replica)).n).toBe(4);
    await replica.manager.retryDeadLetter("posts");
    await waitFor(() => outbox(replica).deadLetter?.code === "FILTERED_DOCUMENT");
    expect(await at(primary)).toEqual({ a: 1, secret: "s" });
  });

  it("is sent once the primary shows us everything", async () => {
    const store = new MemoryObjectStore(new Map());
    const hiding = await startPrimary({ collections: [secretive], store });
    await hiding.write("posts", { a: 1, secret: "s" });
    const replica = await startOutbox({ url: hiding.url });
    await replica.manager.syncNow("posts");
    replica.manager.start();
    await write(replica, { n: 1 });
    await waitFor(() => outbox(replica).deadLetter);
    await hiding.stop();
    const open = await startPrimary({ store, port: hiding.port });
    await open.write("posts", { a: 2, secret: "s" });
    await waitFor(async () => {
      await replica.manager.syncNow("posts").catch(() => {});
      return (await at(open)).n === 1;
    });
    expect(await at(open)).toEqual({ a: 2, secret: "s", n: 1 });
  });
});
