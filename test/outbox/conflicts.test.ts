import { describe, expect, it } from "vitest";
import { documentHash } from "../../src/protocol/canonical-json.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { startPrimary } from "../support/primary.js";
import { size } from "../support/size.js";
import { waitFor } from "../support/wait.js";
import { localData, outbox, startOutbox, write } from "./outbox-setup.js";

const PUSH = "/v1/push/posts/doc";
const PULL = "/v1/pull/posts/doc";
/** So long that no second try comes within a test. */
const LONG = { baseMs: 100_000, capMs: 100_000 };

describe("three replicas that write one document at the same time", () => {
  it("converge without losing a field, with a bounded number of requests", { timeout: 60_000 }, async () => {
    const primary = await startPrimary();
    await primary.write("posts", { begun: true });
    const replicas = await Promise.all([0, 1, 2].map(() => startOutbox({ url: primary.url })));
    for (const replica of replicas) {
      replica.manager.start();
      await replica.manager.syncNow("posts");
    }
    const rounds = size({ test: 20, ci: 100, soak: 500 });
    const before = { get: primary.count("GET"), post: primary.count("POST") };
    await Promise.all(
      replicas.map(async (replica, r) => {
        for (let n = 0; n < rounds; n++) await write(replica, { [`r${r}n${n}`]: n });
      }),
    );
    const expected = { begun: true, ...Object.fromEntries([0, 1, 2].flatMap((r) => range(rounds, r))) };
    await waitFor(async () => Object.keys((await primary.read("posts")).data).length === 3 * rounds + 1, {
      timeoutMs: 20_000,
    });
    await waitFor(() => replicas.every((replica) => outbox(replica).pendingSince === null), { timeoutMs: 20_000 });
    const posts = primary.count("POST") - before.post;
    const gets = primary.count("GET") - before.get;
    const accepted = primary.requests.filter(({ method, status }) => method === "POST" && status === 200).length;
    expect((await primary.read("posts")).data).toEqual(expected);
    // Each accepted push can defeat at most one push of each of the two others, and each defeat costs one pull.
    expect(posts).toBeLessThanOrEqual(3 * accepted + 3);
    expect(gets).toBeLessThanOrEqual(2 * posts + 3);
    expect(posts).toBeLessThanOrEqual(4 * 3 * rounds);
    for (const replica of replicas) {
      await replica.manager.syncNow("posts");
      expect(await localData(replica)).toEqual(expected);
    }
    process.stdout.write(`409 storm: ${3 * rounds} writes, ${accepted} accepted of ${posts} pushes, ${gets} pulls\n`);
  });
});

function range(rounds: number, r: number): [string, number][] {
  return Array.from({ length: rounds }, (_, n) => [`r${r}n${n}`, n]);
}

describe("a primary that never comes to hold what it is sent", () => {
  it("is not asked without a pause where it accepts pushes and stores something else", async () => {
    const server = await startHostileServer();
    server.on(PULL, hostile.document({ a: 1 }));
    server.on(PUSH, hostile.status(200, {}, { hash: documentHash({ a: 1 }), timestamp: 1 }));
    const replica = await startOutbox({ url: server.url, backOff: LONG });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    await write(replica, { a: 1, stripped: 1 });
    await waitFor(() => outbox(replica).state === "failing");
    expect(replica.errors).toMatchObject([{ error: { code: "ANSWER_INVALID", retryable: true } }]);
    expect(server.received.length).toBeLessThan(20);
    expect(await localData(replica)).toEqual({ a: 1, stripped: 1 });
    expect(outbox(replica)).toMatchObject({ deadLetter: null, pendingSince: expect.any(String) });
  });

  it("is not asked without a pause where it answers 409 to the hash that it shows", async () => {
    const server = await startHostileServer();
    server.on(PULL, hostile.document({ a: 1 }));
    server.on(PUSH, hostile.status(409, {}, { error: "hash_mismatch" }));
    const replica = await startOutbox({ url: server.url, backOff: LONG });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    await write(replica, { b: 1 });
    await waitFor(() => outbox(replica).state === "failing");
    expect(replica.errors).toMatchObject([{ error: { code: "PRIMARY_REFUSED", status: 409 } }]);
    expect(server.received.length).toBeLessThan(20);
    expect(await localData(replica)).toEqual({ a: 1, b: 1 });
  });

  it("is not asked without a pause where it is two that disagree", async () => {
    const server = await startHostileServer();
    let asked = 0;
    server.on(PULL, (request, response) => hostile.document({ a: asked++ % 2 })(request, response));
    server.on(PUSH, hostile.status(409, {}, { error: "hash_mismatch" }));
    const replica = await startOutbox({ url: server.url, backOff: LONG });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    await write(replica, { b: 1 });
    await waitFor(() => outbox(replica).state === "failing");
    expect(server.received.length).toBeLessThan(40);
    expect((await localData(replica)).b).toBe(1);
  });

  it("gets the write as soon as it is well again", async () => {
    const primary = await startPrimary();
    primary.failWith(409, {}, { when: "POST", times: 6 });
    const replica = await startOutbox({ url: primary.url });
    replica.manager.start();
    await write(replica, { a: 1 });
    await waitFor(async () => (await primary.read("posts")).data.a === 1);
    await waitFor(() => outbox(replica).pendingSince === null);
  });
});

describe("a primary that shows no document although it has one", () => {
  it.each([
    ["has expired", (hash: string) => hash],
    ["is corrupt", () => ""],
    ["is not there", () => null],
  ])("is written to with the hash that it wants where the document %s", async (_what, wanted) => {
    const server = await startHostileServer();
    const known = { a: 1 };
    server.on(PULL, hostile.document(known));
    const replica = await startOutbox({ url: server.url });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    server.on(PULL, hostile.text(JSON.stringify({ data: {}, hash: "", timestamp: 1 })));
    server.on(PUSH, (request, response) => {
      const body = JSON.parse(server.received.at(-1)?.body ?? "{}");
      if (body.baseHash !== wanted(documentHash(known))) return hostile.status(409)(request, response);
      server.on(PULL, hostile.document(body.data));
      return hostile.status(200, {}, { hash: documentHash(body.data), timestamp: 1 })(request, response);
    });
    await replica.manager.syncNow("posts");
    await write(replica, { b: 1 });
    await waitFor(() => outbox(replica).sent === 1);
    await waitFor(() => outbox(replica).pendingSince === null);
    expect(server.received.length).toBeLessThan(20);
  });
});
