import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CustomObjectStore, type ObjectStore } from "@drakkar.software/starfish-server";
import { FilesystemObjectStore } from "@drakkar.software/starfish-server/node";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Primary, startPrimary } from "../support/primary.js";
import type { Replica } from "../support/replica.js";
import { mountSmallDisk } from "../support/small-disk.js";
import { waitFor } from "../support/wait.js";
import { edit, localData, outbox, pushBlind, startOutbox, write } from "./outbox-setup.js";

const RECORD = "_replica/posts";
const PUSH_ONLY = { writeMode: "push_only", syncTriggers: [] } as const;
const at = async (primary: Primary) => (await primary.read("posts")).data;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** What a process left that had merged `{ a: 1 }`, then stored a client's `mine`, unsent; the primary has changed since. */
async function interrupted() {
  const primary = await startPrimary();
  const data = new Map<string, string>();
  const replica = await startOutbox({ url: primary.url, data });
  await primary.write("posts", { a: 1 });
  await replica.manager.syncNow("posts");
  await write(replica, { mine: 1 });
  await replica.stop();
  await primary.write("posts", { a: 2, theirs: 1 });
  return { primary, data, record: JSON.parse(data.get(RECORD) ?? "{}") };
}

// biome-ignore lint/suspicious/noExplicitAny: records of every wrong shape.
type Corrupt = (record: any) => unknown;

const corruptions: readonly (readonly [string, Corrupt])[] = [
  ["is not JSON", () => "\0\0\0\0"],
  ["was cut", (record) => JSON.stringify(record).slice(0, -20)],
  ["is of a later version", (record) => ({ ...record, v: 2 })],
  ["is an array", () => []],
  ["is null", () => "null"],
  ["is empty JSON", () => ({})],
  ["has a base without data", (record) => ({ ...record, base: { ...record.base, data: undefined } })],
  ["has a base with a hash that is none", (record) => ({ ...record, base: { ...record.base, remoteHash: 5 } })],
  ["does not know whether its base is whole", (record) => ({ ...record, base: { ...record.base, filtered: "no" } })],
  ["has an intent that is none", (record) => ({ ...record, intent: { fromHash: 1 } })],
  ["has pushes that are none", (record) => ({ ...record, sent: [{ hash: "x" }] })],
  ["has no list of pushes", (record) => ({ ...record, sent: "none" })],
  ["has a dead letter that is none", (record) => ({ ...record, deadLetter: true })],
];

describe("a record that cannot be used, because it", () => {
  it.each(corruptions)("%s: it is kept aside and reported, and nobody's field is lost", async (_what, corrupt) => {
    const { primary, data, record } = await interrupted();
    const value = corrupt(record);
    const raw = typeof value === "string" ? value : JSON.stringify(value);
    data.set(RECORD, raw);
    const replica = await startOutbox({ url: primary.url, data });
    replica.manager.start();
    await waitFor(async () => (await at(primary)).mine === 1);
    expect(await at(primary)).toEqual({ a: 2, theirs: 1, mine: 1 });
    await waitFor(() => outbox(replica).pendingSince === null);
    expect(replica.errors).toMatchObject([{ name: "posts", error: { code: "STATE_CORRUPT" } }]);
    const aside = [...data].filter(([key]) => key.startsWith(`${RECORD}.corrupt-`));
    expect(aside.map(([, text]) => text)).toEqual([raw]);
    expect(JSON.parse(data.get(RECORD) ?? "{}")).toMatchObject({ v: 1, base: { data: { a: 2, theirs: 1, mine: 1 } } });
  });
});

describe("a merged document of a push_only collection that cannot be used", () => {
  it.each([
    ["is not JSON", "{{{"],
    ["is of a later version", '{"v":2,"merged":{},"folded":null}'],
    ["was cut", '{"v":1,"merged":{"data":{"n":2}'],
  ])("because it %s is reported, and nothing is sent that would erase others' fields", async (_what, raw) => {
    const primary = await startPrimary();
    const data = new Map<string, string>();
    const first = await startOutbox({ url: primary.url, data, remote: PUSH_ONLY });
    first.manager.start();
    const one = await pushBlind(first, { n: 1 }, null);
    await waitFor(() => outbox(first).sent === 1);
    await primary.write("posts", { n: 1, theirs: 1 });
    const two = await pushBlind(first, { n: 2 }, one);
    await waitFor(() => outbox(first).sent === 2);
    await first.stop();
    expect(data.has(`${RECORD}.shadow`)).toBe(true);
    data.set(`${RECORD}.shadow`, raw);
    const second = await startOutbox({ url: primary.url, data, remote: PUSH_ONLY });
    second.manager.start();
    const three = await pushBlind(second, { n: 3 }, two);
    await waitFor(() => second.errors.length >= 3);
    expect(second.errors[0]?.error).toMatchObject({ code: "STATE_CORRUPT" });
    expect(await at(primary)).toEqual({ n: 2, theirs: 1 });
    // As the hint says.
    await second.stop();
    data.delete(RECORD);
    data.delete(`${RECORD}.shadow`);
    const third = await startOutbox({ url: primary.url, data, remote: PUSH_ONLY });
    third.manager.start();
    await waitFor(() => outbox(third).state === "idle" && primary.count({ method: "POST", status: 409 }) === 2);
    await waitFor(() => outbox(third).pendingSince === null);
    await pushBlind(third, { n: 4 }, three);
    await waitFor(async () => (await at(primary)).n === 4);
    expect(await at(primary)).toEqual({ n: 4, theirs: 1 });
  });
});

/** A disk with room for so many bytes of values. */
function smallStore(data: Map<string, string>, bytes: () => number): ObjectStore {
  return new CustomObjectStore({
    onGet: async (key) => data.get(key) ?? null,
    async onPut(key, body) {
      const others = [...data].filter(([other]) => other !== key).reduce((sum, [, value]) => sum + value.length, 0);
      if (others + body.length > bytes()) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      data.set(key, body);
    },
    onDelete: async (key) => void data.delete(key),
  });
}

/** A client that tries once. */
async function tryOnce(replica: Replica, fields: Record<string, unknown>): Promise<number> {
  const { body } = await replica.get("/pull/posts/doc");
  const data = { ...body.data, ...fields };
  return (await replica.push("/push/posts/doc", { data, baseHash: body.hash === "" ? null : body.hash })).status;
}

describe("a disk that is full", () => {
  it("refuses a client's write, or keeps it: never half, whatever the room", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const primary = await startPrimary();
    await primary.write("posts", { begun: true });
    const data = new Map<string, string>();
    let room = 2_000;
    const replica = await startOutbox({ url: primary.url, store: smallStore(data, () => room) });
    await replica.manager.syncNow("posts");
    replica.manager.start();
    const kept: Record<string, string> = {};
    for (let n = 0; n < 12; n++) {
      const value = `${n}`.padEnd(200, "x");
      const status = await tryOnce(replica, { [`k${n}`]: value });
      if (status === 200) kept[`k${n}`] = value;
      expect([200, 500, 503]).toContain(status);
      expect(await localData(replica)).toEqual({ begun: true, ...kept });
    }
    expect(Object.keys(kept).length).toBeLessThan(12);
    expect(Object.keys(kept).length).toBeGreaterThan(0);
    room = 1_000_000;
    await waitFor(async () => Object.keys(await at(primary)).length === Object.keys(kept).length + 1);
    await waitFor(() => outbox(replica).pendingSince === null);
    expect(await at(primary)).toEqual({ begun: true, ...kept });
    expect(await tryOnce(replica, { after: 1 })).toBe(200);
    await waitFor(async () => (await at(primary)).after === 1);
  });

  it("of a real file system behaves no differently", async (context) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const folder = mountSmallDisk(1);
    if (folder === null) return context.skip("needs the right to mount a tmpfs: run it as root on Linux");
    const primary = await startPrimary();
    await primary.write("posts", { begun: true });
    const replica = await startOutbox({ url: primary.url, store: new FilesystemObjectStore({ baseDir: folder }) });
    await replica.manager.syncNow("posts");
    replica.manager.start();
    expect(await tryOnce(replica, { before: 1 })).toBe(200);
    await waitFor(async () => (await at(primary)).before === 1);
    const ballast = join(folder, "ballast");
    writeUntilFull(ballast);
    expect(await tryOnce(replica, { refused: "x".repeat(8_000) })).toBe(500);
    expect(await localData(replica)).toEqual({ begun: true, before: 1 });
    rmSync(ballast);
    expect(await tryOnce(replica, { kept: 1 })).toBe(200);
    await waitFor(async () => (await at(primary)).kept === 1);
    expect(await at(primary)).toEqual({ begun: true, before: 1, kept: 1 });
  });
});

function writeUntilFull(path: string): void {
  for (let pages = 0; ; pages++) {
    try {
      writeFileSync(path, Buffer.alloc(4_096), { flag: "a" });
    } catch (error) {
      expect(error).toMatchObject({ code: "ENOSPC" });
      expect(pages).toBeGreaterThan(0);
      return;
    }
  }
}

describe("a clock that jumps", () => {
  const DAY_MS = 86_400_000;

  it.each([
    ["forward by a day", DAY_MS],
    ["back by a day", -DAY_MS],
  ])("%s neither holds up nor hurries what is pending", async (_how, jumpMs) => {
    const primary = await startPrimary();
    const replica = await startOutbox({ url: primary.url });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    primary.failWith(503, {}, { when: "POST" });
    await write(replica, { a: 1 });
    await waitFor(() => outbox(replica).consecutiveFailures === 2);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + jumpMs });
    await waitFor(() => outbox(replica).consecutiveFailures === 4);
    expect(primary.count("POST")).toBeLessThanOrEqual(5);
    const [status] = replica.manager.status();
    expect(status?.stalenessMs).toBeGreaterThanOrEqual(0);
    for (const time of [status?.lastAttemptAt, status?.outbox?.pendingSince, status?.outbox?.nextRunAt]) {
      expect(Number.isNaN(Date.parse(time ?? ""))).toBe(false);
    }
    primary.failWith(null);
    await waitFor(async () => (await at(primary)).a === 1);
    await edit(replica, (data) => ({ ...data, b: 1 }));
    await waitFor(async () => (await at(primary)).b === 1);
    await waitFor(() => outbox(replica).pendingSince === null);
    vi.useRealTimers();
    await write(replica, { c: 1 });
    await waitFor(async () => (await at(primary)).c === 1);
  });
});
