import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { createBareRequests } from "../support/bare-requests.mjs";
import { remoteCollections } from "../support/collections.mjs";
import { ratePerSecond } from "../support/timing.mjs";

const DOCUMENT_BYTES = 1_000_000;

export const scenario = {
  title: "Poll of an unchanged 1 MB document",
  how: "`syncNow` again and again, awaited; bytes in both directions, heads included; bare polls are conditional requests alone, with no replica",
  primary: { collections: 1 },
  rounds: 5,
  measures: [
    { key: "pollsPerSecond", label: "polls a second", better: "more", target: { ratio: 3 } },
    { key: "bytesPerPoll", label: "bytes on the wire a poll", unit: "B", better: "less", target: { ratio: 1000 } },
    { key: "bare", label: "for comparison: bare polls a second", comparison: true },
  ],
  async run({ load, primary, quick }) {
    const { ReplicaManager } = await load();
    const { hash } = await primary.write("c0", DOCUMENT_BYTES, 1);
    const manager = new ReplicaManager(new MemoryObjectStore(new Map()), remoteCollections(1, primary.url));
    const poll = () => manager.syncNow("c0");
    await ratePerSecond(poll, 0.3);
    await primary.mark();
    const { perSecond, count } = await ratePerSecond(poll, quick ? 0.5 : 1.5);
    const { bytes } = await primary.counters();
    await manager.stop();
    const requests = createBareRequests(primary.url, 1);
    const bare = await ratePerSecond(() => requests.pull("c0", hash), quick ? 0.3 : 0.7);
    return { pollsPerSecond: perSecond, bytesPerPoll: bytes / count, bare: bare.perSecond };
  },
};
