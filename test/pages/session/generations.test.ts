import { describe, expect, it } from "vitest";
import { createPushClient } from "../../../src/pages/session/push-client.js";
import { combinedHash, pagesOf, samePages } from "./machine-link.js";
import { pull, push, storeOf } from "./session-pairs.js";

const SIZE = 512;
const stored = Array.from({ length: 40 }, (_, i) => i);
const changed = [...stored.slice(0, 20), 99, ...stored.slice(21)];
const behind = { database: "d1", generation: 2 };

describe("a push that does not start from the current generation", () => {
  it.each([
    ["an older generation", behind, /comes from generation 2.*at generation 3/],
    ["a generation that the server does not have yet", { ...behind, generation: 9 }, /generation 9.*at generation 3/],
    ["nowhere", null, /never synced.*at generation 3/],
    ["another database", { database: "d2", generation: 3 }, /never synced.*at generation 3/],
    ["a server without generations", { database: "d1", generation: null }, /never synced.*at generation 3/],
  ])("S3: is refused with both generations named: from %s", (_what, base, message) => {
    for (const local of [pagesOf(changed, SIZE), pagesOf([...stored, 1], SIZE), pagesOf([], SIZE)]) {
      const store = storeOf(stored, SIZE);
      const { client, server, toServer } = push(local, SIZE, store, { base });
      expect(client.error).toMatchObject({ code: "GENERATION_CONFLICT", message: expect.stringMatching(message) });
      expect(client.error).toMatchObject({ hint: expect.stringContaining("--force") });
      expect(server.error).toMatchObject({ code: "GENERATION_CONFLICT" });
      expect(toServer.pages).toEqual([]);
      expect(store.generation).toBe(3);
    }
  });

  it("S3: is no error where nothing is different, and makes no generation", () => {
    const store = storeOf(stored, SIZE);
    const { client, server } = push(pagesOf(stored, SIZE), SIZE, store, { base: behind });
    expect(client.outcome).toMatchObject({ changed: false, version: { generation: 3 } });
    expect(server.commits).toBe(0);
  });

  it("S3: is refused from a generation of that number whose content is another: the server was restored", () => {
    const store = storeOf(stored, SIZE);
    const before = { database: "d1", generation: 3, rootHash: combinedHash(pagesOf([8], SIZE)) };
    const { client } = push(pagesOf(changed, SIZE), SIZE, store, { base: before });
    expect(client.error).toMatchObject({ code: "GENERATION_CONFLICT", message: expect.stringMatching(/restored/) });
    expect(store.generation).toBe(3);
    const same = { ...before, rootHash: combinedHash(pagesOf(stored, SIZE)) };
    expect(push(pagesOf(changed, SIZE), SIZE, store, { base: same }).client.outcome).toMatchObject({ changed: true });
  });

  it("S3: is stored with force", () => {
    const store = storeOf(stored, SIZE);
    const { client } = push(pagesOf(changed, SIZE), SIZE, store, { base: behind, force: true });
    expect(client.outcome).toMatchObject({ changed: true, version: { generation: 4 } });
    expect(samePages(store.pages, pagesOf(changed, SIZE))).toBe(true);
  });

  it("S3: is refused at the commit where another push came meanwhile, and the client knows it for what it is", () => {
    const store = storeOf(stored, SIZE);
    // The other push is stored while the first page is under way.
    const local = pagesOf(changed, SIZE);
    Object.defineProperty(local, 20, {
      get: () => {
        store.generation = 4;
        store.pages = pagesOf([5], SIZE);
        return new Uint8Array(SIZE).fill(99);
      },
    });
    const { client } = push(local, SIZE, store);
    expect(client.error).toMatchObject({ code: "GENERATION_CONFLICT" });
    expect(samePages(store.pages, pagesOf([5], SIZE))).toBe(true);
  });
});

describe("a push whose answer was lost", () => {
  const local = pagesOf(changed, SIZE);
  const pending = { database: "d1", rootHash: combinedHash(local) };

  it("C4: is recognised by its root hash: the client connects again with that generation as its base", () => {
    const store = storeOf(changed, SIZE, 4);
    const { client } = push(local, SIZE, store, { base: { database: "d1", generation: 3 }, pending });
    const base = { database: "d1", generation: 4, rootHash: pending.rootHash };
    expect(client.restart).toEqual({ reason: "own-push", base });
    const again = push([...local, new Uint8Array(SIZE)], SIZE, store, {
      base: { database: "d1", generation: 4 },
      pending,
    });
    expect(again.client.outcome).toMatchObject({ changed: true, version: { generation: 5 } });
  });

  it("C4: is not taken for stored where the server has something else, or another database", () => {
    const base = { database: "d1", generation: 3 };
    const other = push(local, SIZE, storeOf(stored, SIZE, 4), { base, pending });
    expect(other.client.error).toMatchObject({ code: "GENERATION_CONFLICT" });
    const elsewhere = push(local, SIZE, storeOf(changed, SIZE, 4), { base, pending: { ...pending, database: "d2" } });
    expect(elsewhere.client.restart).toBeNull();
  });
});

describe("what a server says when it ends a sync", () => {
  it("C3: reaches the caller as SYNC_REFUSED, in one line of bounded length without control characters", () => {
    const client = createPushClient({ pageSize: SIZE, pageCount: 1, base: null });
    client.open();
    const message = `no\u001b[2J\r\n\u202eroom ${"😀".repeat(3000)}`;
    let error: unknown = null;
    try {
      expect(client.receive({ kind: "error", message })).toEqual([{ do: "hear-close" }]);
      client.closed("");
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "SYNC_REFUSED", message: expect.stringMatching(/: no \[2J room 😀+…$/u) });
    expect([...String(error)].length).toBeLessThan(600);
  });

  it("C3: is about a version that pulls keep reading: its generation is the one of `hello_reply`", () => {
    const { run } = pull(null, SIZE, storeOf(stored, SIZE));
    expect(run.client.outcome?.version?.rootHash).toEqual(combinedHash(pagesOf(stored, SIZE)));
  });
});
