import { describe, expect, it } from "vitest";
import { dyingStore } from "../faults/dying-store.js";
import { type Primary, startPrimary } from "../support/primary.js";
import { realDelay } from "../support/real-time.js";
import type { Replica } from "../support/replica.js";
import { size } from "../support/size.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { waitFor } from "../support/wait.js";
import { outbox, pushBlind, startOutbox, writeThere } from "./outbox-setup.js";

const PUSH_ONLY = { writeMode: "push_only", syncTriggers: [] } as const;
const at = async (primary: Primary) => (await primary.read("posts")).data;
const clientsDocument = async (replica: Replica) => JSON.parse((await replica.store.getString("posts/doc")) ?? "{}");

async function setUp(data = new Map<string, string>(), url?: string) {
  const primary = await startPrimary();
  const replica = await startOutbox({ url: url ?? primary.url, data, remote: PUSH_ONLY });
  replica.manager.start();
  return { primary, replica, data };
}

describe("a push_only collection whose primary has another writer too", () => {
  it("never erases that writer's fields, nor loses a field of its own clients", async () => {
    const { primary, replica } = await setUp();
    const rounds = size({ test: 25, ci: 150, soak: 1_000 });
    let hash: string | null = null;
    const mine: Record<string, unknown> = {};
    const theirs: Record<string, unknown> = {};
    for (let n = 0; n < rounds; n++) {
      mine[`mine${n % 7}`] = n;
      if (n % 5 === 4) delete mine[`mine${(n + 3) % 7}`];
      hash = await pushBlind(replica, { ...mine }, hash);
      if (n % 3 !== 0) continue;
      theirs[`theirs${n}`] = n;
      await writeThere(primary, { [`theirs${n}`]: n });
    }
    await waitFor(
      async () => JSON.stringify(sorted(await at(primary))) === JSON.stringify(sorted({ ...mine, ...theirs })),
    );
    await waitFor(() => outbox(replica).pendingSince === null);
    expect(await clientsDocument(replica)).toMatchObject({ data: mine, hash });
    const last = primary.requests.length;
    await realDelay(100);
    expect(primary.requests).toHaveLength(last);
  });

  it("goes on from the hash of its own last push, without a look, after a merge too", async () => {
    const { primary, replica } = await setUp();
    const first = await pushBlind(replica, { n: 1 }, null);
    await waitFor(() => outbox(replica).sent === 1);
    await primary.write("posts", { n: 1, theirs: 1 });
    const second = await pushBlind(replica, { n: 2 }, first);
    await waitFor(() => outbox(replica).sent === 2);
    const gets = primary.count("GET");
    expect(gets).toBe(1);
    await pushBlind(replica, { n: 3 }, second);
    await waitFor(() => outbox(replica).sent === 3);
    expect(primary.count("GET")).toBe(gets);
    expect(await at(primary)).toEqual({ n: 3, theirs: 1 });
  });

  it("lets that writer win where both changed one field, and the clients the next time", async () => {
    const { primary, replica } = await setUp();
    const first = await pushBlind(replica, { n: 1 }, null);
    await waitFor(() => outbox(replica).sent === 1);
    await primary.write("posts", { n: "theirs" });
    const second = await pushBlind(replica, { n: 2, more: 1 }, first);
    await waitFor(() => outbox(replica).sent === 2);
    expect(await at(primary)).toEqual({ n: "theirs", more: 1 });
    await pushBlind(replica, { n: 3, more: 1 }, second);
    await waitFor(() => outbox(replica).sent === 3);
    expect(await at(primary)).toEqual({ n: 3, more: 1 });
  });

  it("remembers over a restart what was merged", async () => {
    const { primary, replica, data } = await setUp();
    const first = await pushBlind(replica, { n: 1 }, null);
    await waitFor(() => outbox(replica).sent === 1);
    await primary.write("posts", { n: 1, theirs: 1 });
    const second = await pushBlind(replica, { n: 2 }, first);
    await waitFor(() => outbox(replica).sent === 2);
    await replica.stop();
    const next = await startOutbox({ url: primary.url, data, remote: PUSH_ONLY });
    await pushBlind(next, { n: 3 }, second);
    next.manager.start();
    await waitFor(() => outbox(next).sent === 1);
    expect(await at(primary)).toEqual({ n: 3, theirs: 1 });
  });
});

describe("a push_only collection whose primary refuses reads", () => {
  it("keeps what met another writer's, says why, and asks without haste", async () => {
    const { primary, replica } = await setUp();
    const first = await pushBlind(replica, { n: 1 }, null);
    await waitFor(() => outbox(replica).sent === 1);
    await primary.write("posts", { n: 1, theirs: 1 });
    primary.failWith(403, {}, { when: "GET" });
    await pushBlind(replica, { n: 2 }, first);
    await waitFor(() => replica.errors.length >= 5);
    expect(replica.errors[0]?.error).toMatchObject({ code: "PRIMARY_REFUSED", status: 403 });
    expect(primary.count("POST")).toBe(2);
    // The tests' back-off ends at 100 ms: one pull for each failure that was reported, give or take the one under way.
    expect(primary.count("GET")).toBeLessThanOrEqual(replica.errors.length + 1);
    expect(outbox(replica).pendingSince).not.toBeNull();
    expect(replica.manager.status()[0]).toMatchObject({ lastError: { code: "PRIMARY_REFUSED" } });
    expect(await at(primary)).toEqual({ n: 1, theirs: 1 });
    primary.failWith(null);
    await waitFor(async () => (await at(primary)).n === 2);
    expect(await at(primary)).toEqual({ n: 2, theirs: 1 });
  });

  it("needs no reads as long as nobody else writes", async () => {
    const { primary, replica } = await setUp();
    primary.failWith(403, {}, { when: "GET" });
    let hash: string | null = null;
    for (let n = 1; n <= 5; n++) {
      hash = await pushBlind(replica, { n }, hash);
      await waitFor(() => outbox(replica).sent === n);
    }
    expect(await at(primary)).toEqual({ n: 5 });
    expect(primary.count("GET")).toBe(0);
    expect(replica.errors).toEqual([]);
  });
});

describe("a push_only collection on a bad line", () => {
  it("brings everything to the primary, whatever answers are lost", async () => {
    const primary = await startPrimary();
    const proxy = await startTcpProxy(primary.port);
    const { replica } = await setUp(new Map(), `${proxy.origin}/v1`);
    let hash: string | null = null;
    for (let n = 0; n < 4; n++) {
      proxy.resetAfter(0);
      const failures = replica.errors.length;
      hash = await pushBlind(replica, { [`k${n}`]: n, n }, hash);
      await waitFor(() => replica.errors.length > failures);
      await proxy.pass();
      await waitFor(async () => (await at(primary)).n === n);
    }
    await waitFor(() => outbox(replica).pendingSince === null);
    expect(await at(primary)).toEqual({ k3: 3, n: 3 });
  });
});

function sorted(data: Record<string, unknown>): [string, unknown][] {
  return Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
}

describe("a push_only process that dies while a write is on its way into a merged document", () => {
  it("does not make the next one forget that the client has gone back to the old value since", async () => {
    for (let after = 2; ; after++) {
      const { primary, replica, data } = await setUp();
      const first = await pushBlind(replica, { n: 1 }, null);
      await waitFor(() => outbox(replica).sent === 1);
      await primary.write("posts", { n: 1, theirs: 1 });
      const second = await pushBlind(replica, { n: 2 }, first);
      await waitFor(() => outbox(replica).sent === 2);
      await replica.stop();
      const dying = dyingStore(data, { after });
      const mortal = await startOutbox({ url: primary.url, store: dying.store, remote: PUSH_ONLY });
      mortal.manager.start();
      const third = await pushBlind(mortal, { n: 3 }, second);
      await waitFor(() => dying.dead || outbox(mortal).sent === 1);
      await mortal.stop();
      const next = await startOutbox({ url: primary.url, data, remote: PUSH_ONLY });
      await pushBlind(next, { n: 2 }, third);
      next.manager.start();
      await waitFor(() => outbox(next).state === "idle" && outbox(next).lastAttemptAt !== null);
      await waitFor(() => outbox(next).pendingSince === null);
      await waitFor(async () => (await at(primary)).n === 2, { what: `n to be 2 after a death in write ${after}` });
      expect(await at(primary)).toEqual({ n: 2, theirs: 1 });
      if (!dying.dead) return;
    }
  });
});
