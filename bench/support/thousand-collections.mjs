import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { createBareRequests } from "./bare-requests.mjs";
import { remoteCollections } from "./collections.mjs";
import { median } from "./statistics.mjs";
import { elapsedMs } from "./timing.mjs";

const COLLECTIONS = 1000;
/** Ours opens so many sockets to one primary by default. */
const CONNECTIONS = 8;
const REPEATS = 3;

/** The scenario of 1,000 collections with documents of `bytes` bytes. */
export function createThousandCollections(size, bytes) {
  return {
    title: `1,000 collections of ${size}`,
    how: `\`syncAll\` into an empty store, in a process that has just begun; then \`syncAll\` ${REPEATS} times with nothing changed (median); bare are the same requests alone over ${CONNECTIONS} sockets, answers thrown away`,
    primary: { collections: COLLECTIONS },
    rounds: 5,
    measures: [
      { key: "coldMs", label: "cold", unit: "ms", better: "less", target: { ratio: 3 } },
      { key: "unchangedMs", label: "none changed", unit: "ms", better: "less", target: { ratio: 3 } },
      { key: "peakSockets", label: "sockets, most at once", better: "less", target: { max: CONNECTIONS } },
      { key: "unchangedBytes", label: "bytes on the wire, none changed", unit: "B", better: "less" },
      { key: "cpuMs", label: "processor time of it all", unit: "ms", better: "less" },
      { key: "bareColdMs", label: "for comparison: bare, cold", unit: "ms", comparison: true },
      { key: "bareUnchangedMs", label: "for comparison: bare, none changed", unit: "ms", comparison: true },
    ],
    run: (context) => run(context, bytes),
  };
}

async function run({ load, primary }, bytes) {
  const { ReplicaManager } = await load();
  await primary.fill(COLLECTIONS, bytes);
  const local = new Map();
  const manager = new ReplicaManager(new MemoryObjectStore(local), remoteCollections(COLLECTIONS, primary.url));
  const cpuBefore = process.cpuUsage();
  await primary.mark();
  const coldMs = await elapsedMs(() => manager.syncAll());
  const { peakSockets } = await primary.counters();
  const hashes = Array.from({ length: COLLECTIONS }, (_, index) => JSON.parse(local.get(`c${index}/doc`) ?? "{}").hash);
  if (!hashes.every(Boolean)) throw new Error("not every collection is in step after syncAll");
  await primary.mark();
  const again = await repeat(() => manager.syncAll());
  const unchanged = await primary.counters();
  const { user, system } = process.cpuUsage(cpuBefore);
  await manager.stop();

  const bare = createBareRequests(primary.url, CONNECTIONS);
  return {
    coldMs,
    unchangedMs: median(again),
    peakSockets,
    unchangedBytes: unchanged.bytes / REPEATS,
    cpuMs: (user + system) / 1000,
    bareColdMs: await elapsedMs(() => bare.pullAll(COLLECTIONS)),
    bareUnchangedMs: median(await repeat(() => bare.pullAll(COLLECTIONS, hashes))),
  };
}

async function repeat(work) {
  const times = [];
  for (let run = 0; run < REPEATS; run += 1) times.push(await elapsedMs(work));
  return times;
}
