import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { remoteCollections } from "../support/collections.mjs";
import { median } from "../support/statistics.mjs";
import { elapsedMs } from "../support/timing.mjs";

const DOCUMENT_BYTES = 100_000;

export const scenario = {
  title: "Changed 100 KB document, primary to replica",
  how: "the primary writes (not timed), then `syncNow`; the local copy is checked each time; median of a round's syncs",
  primary: { collections: 1 },
  rounds: 5,
  measures: [{ key: "syncMs", label: "sync", unit: "ms", better: "less", target: { ratio: 1.3 } }],
  async run({ load, primary, quick }) {
    const { ReplicaManager } = await load();
    const local = new Map();
    const manager = new ReplicaManager(new MemoryObjectStore(local), remoteCollections(1, primary.url));
    const times = [];
    const syncs = quick ? 60 : 200;
    for (let revision = 1; revision <= syncs; revision += 1) {
      await primary.write("c0", DOCUMENT_BYTES, revision);
      const took = await elapsedMs(() => manager.syncNow("c0"));
      // The first fifth warms up.
      if (revision > syncs / 5) times.push(took);
      if (JSON.parse(local.get("c0/doc")).data.revision !== revision) throw new Error("the local copy is not in step");
    }
    await manager.stop();
    return { syncMs: median(times) };
  },
};
