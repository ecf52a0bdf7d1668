import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cluster, startCluster } from "../../src/cli/demo/cluster.js";
import { type Row, readRows } from "../../src/cli/demo/rows.js";
import { waitFor } from "../support/wait.js";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster(0);
});
afterAll(async () => {
  await cluster.replica.plugin.shutdown?.();
  await cluster.stop();
});

async function row(collection: string): Promise<Row | undefined> {
  return (await readRows(cluster)).find((one) => one.collection === collection);
}

describe("the demo's rows", () => {
  it("call a local copy the same once it has the primary's hash", async () => {
    const prices = await waitFor(async () => {
      const seen = await row("prices");
      // The copy is there a moment before the run that brought it has ended.
      return seen?.relation === "same" && seen.stalenessMs !== null && seen;
    });
    expect(prices).toMatchObject({ mode: "pull_only", localHash: prices.primaryHash, lastError: null });
    expect(prices.stalenessMs).toBeGreaterThanOrEqual(0);
  });

  it("say that a collection with on_pull differs until it is read, and do not read it themselves", async () => {
    await cluster.atReplica.pull("stock");
    await cluster.atPrimary.update("stock", (stock) => ({ ...stock, pears: 1 }));
    expect(await row("stock")).toMatchObject({ relation: "differs" });
    expect(await row("stock")).toMatchObject({ relation: "differs" });
    await cluster.atReplica.pull("stock");
    expect(await row("stock")).toMatchObject({ relation: "same" });
  });

  it("have no staleness for what is not pulled, and count what was sent", async () => {
    expect(await row("sales")).toMatchObject({ localHash: null, relation: null, stalenessMs: null });
    await cluster.atReplica.push("sales", { sold: 1 }, null);
    const sales = await waitFor(async () => {
      const seen = await row("sales");
      return seen?.outbox?.sent === 1 && seen;
    });
    expect(sales).toMatchObject({ relation: "same", stalenessMs: null, outbox: { waiting: false, deadLetter: null } });
  });

  it("have no outbox where nothing is written here", async () => {
    expect(await row("prices")).toMatchObject({ outbox: null });
    expect(await row("stock")).toMatchObject({ outbox: null });
  });

  it("name the last error, and whether it is over", async () => {
    await cluster.primary.stop();
    await expect(cluster.replica.plugin.manager.syncNow("prices")).rejects.toThrow();
    expect(await row("prices")).toMatchObject({ lastError: "PRIMARY_UNREACHABLE", recovered: false });
    await cluster.primary.start();
    await waitFor(async () => (await row("prices"))?.recovered);
    expect(await row("prices")).toMatchObject({ lastError: "PRIMARY_UNREACHABLE" });
  });

  it("say that a write waits while the primary is stopped, and is sent when it is back", async () => {
    await waitFor(async () => (await row("notes"))?.relation === "same");
    await cluster.primary.stop();
    await cluster.atReplica.update("notes", (notes) => ({ ...notes, shop: "open" }));
    expect(await row("notes")).toMatchObject({ relation: "merged", outbox: { waiting: true } });
    await waitFor(async () => (await row("notes"))?.lastError === "PRIMARY_UNREACHABLE");
    await cluster.primary.start();
    await waitFor(async () => (await row("notes"))?.outbox?.sent === 1);
    expect(await row("notes")).toMatchObject({ relation: "same", outbox: { waiting: false } });
  });
});
