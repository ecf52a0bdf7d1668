import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { describe, expect, it } from "vitest";
import { WRITE_MODES, type WriteMode } from "../../src/modes/write-mode.js";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";
import { remote, startReplica } from "../support/replica.js";
import { waitFor } from "../support/wait.js";
import { outbox, pushBlind, startOutbox } from "./outbox-setup.js";

const HASH = expect.stringMatching(/^[0-9a-f]{64}$/);

async function setUp(mode: WriteMode) {
  const names = ["same", "other", "here", "there", "nowhere", "sick"];
  const primary = await startPrimary({ collections: names.map((name) => collection(name)) });
  const data = new Map<string, string>();
  const replica = await startReplica({
    collections: names.map((name) => collection(name)),
    remotes: Object.fromEntries(names.map((name) => [name, remote(primary.url, name, { writeMode: mode })])),
    store: new MemoryObjectStore(data),
    requestTimeoutMs: 1_000,
  });
  for (const name of ["same", "other", "here", "sick"]) await primary.write(name, { name });
  if (mode === "push_only") {
    for (const name of ["same", "other", "here", "sick"]) {
      await primary.remove(name);
      await replica.push(`/push/${name}/doc`, { data: { name }, baseHash: null });
    }
    replica.manager.start();
    const written = () => replica.manager.status().filter(({ name }) => name !== "there" && name !== "nowhere");
    await waitFor(() => written().every(({ outbox }) => outbox?.sent === 1 && outbox.state === "idle"));
  } else await replica.manager.syncAll();
  await primary.write("other", { name: "other", changed: true });
  await primary.remove("here");
  await primary.write("there", { name: "there" });
  primary.failWith(500, {}, { when: "/sick/" });
  return { primary, replica, data };
}

describe("verify()", () => {
  it.each(WRITE_MODES)("tells how each document compares in %s, and changes nothing anywhere", async (mode) => {
    const { primary, replica, data } = await setUp(mode);
    const before = JSON.stringify([...data].sort());
    const there = await Promise.all(["same", "other", "here", "there"].map((name) => primary.read(name)));
    const { length } = primary.pushes;
    const report = await replica.manager.verify();
    expect(report).toEqual([
      { name: "same", result: "equal", localHash: HASH, primaryHash: HASH, error: null },
      { name: "other", result: "different", localHash: HASH, primaryHash: HASH, error: null },
      { name: "here", result: "missing_there", localHash: HASH, primaryHash: null, error: null },
      { name: "there", result: "missing_here", localHash: null, primaryHash: HASH, error: null },
      { name: "nowhere", result: "missing", localHash: null, primaryHash: null, error: null },
      {
        name: "sick",
        result: "unknown",
        localHash: HASH,
        primaryHash: null,
        error: expect.objectContaining({ code: "PRIMARY_UNAVAILABLE" }),
      },
    ]);
    expect(JSON.stringify([...data].sort())).toBe(before);
    expect(primary.pushes).toHaveLength(length);
    const after = await Promise.all(["same", "other", "here", "there"].map((name) => primary.read(name)));
    expect(after.map(({ hash }) => hash)).toEqual(there.map(({ hash }) => hash));
  });

  it("says equal of a document that the primary filters for us", async () => {
    const primary = await startPrimary({
      collections: [collection("posts", { fieldPermissions: { secret: { readRoles: ["admin"] } } })],
    });
    await primary.write("posts", { a: 1, secret: "s" });
    const replica = await startOutbox({ url: primary.url });
    await replica.manager.syncNow("posts");
    expect(await replica.manager.verify()).toMatchObject([{ name: "posts", result: "equal" }]);
  });

  it("changes nothing where clients' writes wait to be folded into a merged document", async () => {
    const primary = await startPrimary();
    const data = new Map<string, string>();
    const replica = await startOutbox({ url: primary.url, data, remote: { writeMode: "push_only", syncTriggers: [] } });
    replica.manager.start();
    const first = await pushBlind(replica, { n: 1 }, null);
    await waitFor(() => outbox(replica).sent === 1);
    await primary.write("posts", { n: 1, theirs: 1 });
    const second = await pushBlind(replica, { n: 2 }, first);
    await waitFor(() => outbox(replica).sent === 2);
    expect(await replica.manager.verify()).toMatchObject([{ result: "equal" }]);
    await replica.manager.stop();
    await pushBlind(replica, { n: 3 }, second);
    const before = JSON.stringify([...data].sort());
    const next = await startOutbox({ url: primary.url, data, remote: { writeMode: "push_only", syncTriggers: [] } });
    expect(await next.manager.verify()).toMatchObject([{ result: "different" }]);
    expect(JSON.stringify([...data].sort())).toBe(before);
  });
});
