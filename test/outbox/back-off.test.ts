import { describe, expect, it } from "vitest";
import { startPrimary } from "../support/primary.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { waitFor } from "../support/wait.js";
import { outbox, startOutbox, write } from "./outbox-setup.js";

describe("an outbox whose primary takes no pushes, but answers pulls", () => {
  it("tries less and less often: looking what became of a push is no success", async () => {
    const primary = await startPrimary();
    const replica = await startOutbox({ url: primary.url });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    primary.failWith(503, {}, { when: "POST" });
    await write(replica, { a: 1 });
    await waitFor(() => outbox(replica).consecutiveFailures === 6);
    // One push, and one look, for each failure.
    expect(primary.count("POST")).toBe(6);
    expect(outbox(replica)).toMatchObject({ state: "failing", deadLetter: null });
    primary.failWith(null);
    await waitFor(() => outbox(replica).pendingSince === null);
    expect(outbox(replica)).toMatchObject({ consecutiveFailures: 0, sent: 1 });
  });

  it("is not driven past its back-off by clients that keep writing", async () => {
    const primary = await startPrimary();
    const replica = await startOutbox({ url: primary.url, backOff: { baseMs: 1_000, capMs: 1_000 } });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    primary.failWith(503, {}, { when: "POST" });
    primary.setDelayMs(20);
    for (let n = 0; n < 300; n++) await write(replica, { n });
    expect(primary.count("POST")).toBeGreaterThan(0);
    expect(primary.count("POST")).toBeLessThanOrEqual(outbox(replica).consecutiveFailures + 1);
    primary.setDelayMs(0);
    primary.failWith(null);
    await waitFor(async () => (await primary.read("posts")).data.n === 299, { timeoutMs: 15_000 });
  });
});

describe("an outbox that has failed", () => {
  it("is well again when a look shows that the push had arrived after all", async () => {
    const primary = await startPrimary();
    const proxy = await startTcpProxy(primary.port);
    const replica = await startOutbox({ url: `${proxy.origin}/v1` });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    proxy.resetAfter(0);
    await write(replica, { a: 1 });
    await waitFor(() => outbox(replica).consecutiveFailures === 1);
    await proxy.pass();
    await waitFor(() => outbox(replica).pendingSince === null);
    await waitFor(() => outbox(replica).consecutiveFailures === 0);
    expect(outbox(replica)).toMatchObject({ state: "idle", deadLetter: null });
    expect(primary.pushes).toHaveLength(1);
  });

  it("is well again when the primary refuses for good: that is an answer", async () => {
    const primary = await startPrimary();
    const replica = await startOutbox({ url: primary.url });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    primary.failWith(503, {}, { when: "POST" });
    await write(replica, { a: 1 });
    await waitFor(() => outbox(replica).consecutiveFailures === 2);
    primary.failWith(422, {}, { when: "POST" });
    await waitFor(() => outbox(replica).deadLetter);
    await waitFor(() => outbox(replica).consecutiveFailures === 0);
    expect(outbox(replica).state).toBe("idle");
  });
});
