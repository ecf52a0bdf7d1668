import { describe, expect, it } from "vitest";
import { startPrimary } from "../support/primary.js";
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
    const replica = await startOutbox({ url: primary.url, backOff: { baseMs: 1_000, capMs: 60_000 } });
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
