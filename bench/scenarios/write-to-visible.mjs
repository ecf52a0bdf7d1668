import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { remoteCollections } from "../support/collections.mjs";
import { FEEDS } from "../support/contender.mjs";
import { quantile } from "../support/statistics.mjs";
import { until } from "../support/until.mjs";
import { hasArrived, visibleAfter } from "../support/visible-after.mjs";
import { WatchedDocuments } from "../support/watched-documents.mjs";
import { writeDocuments } from "../support/write-documents.mjs";

const COLLECTIONS = 100;
const DOCUMENT_BYTES = 1000;
const WRITE_EVERY_MS = 8;
const INTERVAL_MS = 1000;

export const scenario = {
  title: "Write to visible: from the primary's answer to the replica's copy",
  how: `a client in a third process pushes to the primary, one write of 1 KB every ${WRITE_EVERY_MS} ms, over ${COLLECTIONS} collections in turns; from its 200 until the replica's store has that revision or a later one. Scheduled is \`intervalMs: ${INTERVAL_MS}\`; \`on_change\` is our feed over SSE, which the peer has not`,
  primary: { collections: COLLECTIONS, feed: {} },
  rounds: 3,
  measures: [
    { key: "scheduledP50", label: "scheduled every second, p50", unit: "ms", better: "less" },
    { key: "scheduledP99", label: "scheduled every second, p99", unit: "ms", better: "less" },
    { key: "onChangeP50", label: "`on_change` over SSE, p50", unit: "ms", better: "less" },
    { key: "onChangeP99", label: "`on_change` over SSE, p99", unit: "ms", better: "less", target: { max: 50 } },
  ],
  async run({ contender, load, primary, quick }) {
    const { ReplicaManager } = await load();
    const writes = quick ? 150 : 400;
    const scheduled = { syncTriggers: ["scheduled"], intervalMs: INTERVAL_MS };
    const polled = await measure(ReplicaManager, primary, { remote: scheduled, writes });
    const result = { scheduledP50: quantile(polled, 0.5), scheduledP99: quantile(polled, 0.99) };
    if (contender === "theirs") return result;

    const { createSseFeed } = await import(FEEDS);
    const feed = createSseFeed({ url: `${primary.url}/changes` });
    const told = await measure(ReplicaManager, primary, { remote: { syncTriggers: ["on_change"] }, writes, feed });
    return { ...result, onChangeP50: quantile(told, 0.5), onChangeP99: quantile(told, 0.99) };
  },
};

async function measure(ReplicaManager, primary, { remote, writes, feed }) {
  await primary.clear();
  await primary.fill(COLLECTIONS, DOCUMENT_BYTES, 0);
  const local = new WatchedDocuments();
  const manager = new ReplicaManager(
    new MemoryObjectStore(local),
    remoteCollections(COLLECTIONS, primary.url, remote),
    feed ? { feed } : {},
  );
  manager.start();
  await until("the first sync", () => local.arrivals().length >= COLLECTIONS);
  if (feed) await until("the feed", async () => (await primary.subscribers()) === 1);

  const job = { port: Number(new URL(primary.url).port), collections: COLLECTIONS, writes, everyMs: WRITE_EVERY_MS };
  const { writes: answered } = await writeDocuments({ ...job, connections: 4, bytes: DOCUMENT_BYTES });
  await until("every write visible", () => hasArrived(answered, local.arrivals()));
  await manager.stop();
  return visibleAfter(answered, local.arrivals());
}
