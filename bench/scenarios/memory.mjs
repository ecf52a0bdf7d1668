import { setTimeout as pause } from "node:timers/promises";
import { remoteCollections } from "../support/collections.mjs";

const COLLECTIONS = 1000;
const MB = 1_000_000;

export const scenario = {
  title: "Memory with 1,000 collections of 10 KB synced and idle",
  how: "`syncAll` twice, the sockets idle, garbage collected; more is what the process had with the contender imported and nothing configured, taken away",
  primary: { collections: COLLECTIONS },
  nodeArgs: ["--expose-gc"],
  rounds: 4,
  measures: [
    { key: "rssMB", label: "RSS", unit: "MB", better: "less" },
    { key: "moreRssMB", label: "more RSS than before", unit: "MB", better: "less" },
    { key: "moreHeapMB", label: "more heap than before", unit: "MB", better: "less" },
  ],
  async run({ load, primary }) {
    const { ReplicaManager } = await load();
    const { MemoryObjectStore } = await import("@drakkar.software/starfish-server");
    await primary.fill(COLLECTIONS, 10_000);
    const before = await settledMemory();
    const manager = new ReplicaManager(new MemoryObjectStore(new Map()), remoteCollections(COLLECTIONS, primary.url));
    await manager.syncAll();
    await manager.syncAll();
    const after = await settledMemory();
    await manager.stop();
    return {
      rssMB: after.rss / MB,
      moreRssMB: (after.rss - before.rss) / MB,
      moreHeapMB: (after.heapUsed - before.heapUsed) / MB,
    };
  },
};

async function settledMemory() {
  for (let turn = 0; turn < 5; turn += 1) {
    await pause(100);
    globalThis.gc();
  }
  return process.memoryUsage();
}
