import { startReplicaHost } from "../support/replica-host.mjs";
import { quantile } from "../support/statistics.mjs";
import { until } from "../support/until.mjs";
import { hasArrived, visibleAfter } from "../support/visible-after.mjs";
import { writeDocuments } from "../support/write-documents.mjs";

const SPREAD = 100;
const DOCUMENT_BYTES = 1000;
const WRITE_EVERY_MS = 10;

export const scenario = {
  title: "Outbox: writes that clients make at a replica",
  how: `a client in a third process pushes documents of 1 KB to a replica server (\`bidirectional\`) as fast as it answers, one after the other to one document, and over 8 sockets to ${SPREAD} documents in turns; in step: from the first write until the primary has the last revision of each. Steady is one write every ${WRITE_EVERY_MS} ms over ${SPREAD} documents: from the client's 200 until the primary has that revision or a later one. The peer never sends such writes on, so there is nothing to compare with`,
  primary: { collections: SPREAD },
  contenders: ["ours"],
  rounds: 3,
  measures: [
    { key: "oneAccepted", label: "one document: accepted a second", better: "more" },
    { key: "oneInStep", label: "one document: in step a second", better: "more" },
    { key: "onePushes", label: "one document: pushes to the primary for 100 writes", better: "less" },
    { key: "manyAccepted", label: `${SPREAD} documents: accepted a second`, better: "more" },
    { key: "manyInStep", label: `${SPREAD} documents: in step a second`, better: "more" },
    { key: "manyPushes", label: `${SPREAD} documents: pushes to the primary for 100 writes`, better: "less" },
    { key: "conflicts", label: "writes that a client had to repeat (409)", better: "less" },
    { key: "steadyP50", label: "steady, to the primary, p50", unit: "ms", better: "less" },
    { key: "steadyP99", label: "steady, to the primary, p99", unit: "ms", better: "less" },
  ],
  async run({ load, primary, quick }) {
    const contender = await load();
    const writes = quick ? 400 : 1000;
    const one = await measure(contender, primary, { collections: 1, connections: 1, writes, everyMs: 0 });
    const many = await measure(contender, primary, { collections: SPREAD, connections: 8, writes, everyMs: 0 });
    const paced = { collections: SPREAD, connections: 8, writes: quick ? 150 : 300, everyMs: WRITE_EVERY_MS };
    const steady = await measure(contender, primary, paced);
    return {
      oneAccepted: one.accepted,
      oneInStep: one.inStep,
      onePushes: one.pushes,
      manyAccepted: many.accepted,
      manyInStep: many.inStep,
      manyPushes: many.pushes,
      conflicts: one.conflicts + many.conflicts + steady.conflicts,
      steadyP50: quantile(steady.latencies, 0.5),
      steadyP99: quantile(steady.latencies, 0.99),
    };
  },
};

async function measure(contender, primary, job) {
  const { collections, writes: count } = job;
  await primary.clear();
  await primary.fill(collections, DOCUMENT_BYTES, 0);
  const host = await startReplicaHost(contender, primary.url, { writeMode: "bidirectional" }, collections);
  host.manager.start();
  await host.manager.syncAll();
  await primary.mark();
  const { writes, startedAt, conflicts } = await writeDocuments({ ...job, port: host.port, bytes: DOCUMENT_BYTES });
  let arrivals = [];
  const isSent = async () => {
    arrivals = await primary.arrivals();
    return hasArrived(writes, arrivals);
  };
  await until("every write sent", isSent, 50);
  const { pushes } = await primary.counters();
  await host.stop();

  const latencies = visibleAfter(writes, arrivals);
  const lastAt = Math.max(...arrivals.map(({ at }) => at));
  const answeredAt = Math.max(...writes.map(({ at }) => at));
  return {
    accepted: (count * 1000) / (answeredAt - startedAt),
    inStep: (count * 1000) / (lastAt - startedAt),
    pushes: (100 * pushes) / count,
    conflicts,
    latencies,
  };
}
