import { setTimeout as pause } from "node:timers/promises";
import { createBareRequests } from "../support/bare-requests.mjs";
import { openSubscribers } from "../support/raw-subscribers.mjs";
import { startPrimary } from "../support/start-primary.mjs";
import { quantile } from "../support/statistics.mjs";
import { elapsedMs } from "../support/timing.mjs";
import { until } from "../support/until.mjs";
import { writeDocuments } from "../support/write-documents.mjs";

const SUBSCRIBERS = 500;
/** Fifteen times as often as by default, so that a round sees some. */
const HEARTBEAT_MS = 1000;
const WRITE_EVERY_MS = 50;
const POLLS = 500;
const KB = 1000;

export const scenario = {
  title: `Change feed over SSE: ${SUBSCRIBERS} subscribers of one primary`,
  how: `each a socket of its own, with no cap-cert; memory of the primary after garbage collection, beyond what it had before they came; processor time of the primary, less what it takes without them, heartbeats ${HEARTBEAT_MS} ms apart (default 15,000). Announced: from the writer's 200 until the last subscriber has the event, a write every ${WRITE_EVERY_MS} ms. The peer has no feed`,
  contenders: ["ours"],
  warmUp: false,
  rounds: 3,
  measures: [
    { key: "connectMs", label: "until all are connected", unit: "ms", better: "less" },
    { key: "rssKB", label: "RSS a subscriber", unit: "KB", better: "less" },
    { key: "heapKB", label: "heap a subscriber", unit: "KB", better: "less" },
    { key: "beatUs", label: "processor time a heartbeat", unit: "µs", better: "less" },
    {
      key: "pollUs",
      label: "for comparison: processor time of an unchanged poll of 10 KB",
      unit: "µs",
      comparison: true,
    },
    { key: "lastP50", label: "announced to the last, p50", unit: "ms", better: "less" },
    { key: "lastP99", label: "announced to the last, p99", unit: "ms", better: "less" },
    {
      key: "announceUs",
      label: "processor time an announcement and subscriber, the write included",
      unit: "µs",
      better: "less",
    },
  ],
  async run({ quick }) {
    const primary = await startPrimary({ collections: 1, feed: { heartbeatMs: HEARTBEAT_MS } }, ["--expose-gc"]);
    try {
      return await run(primary.control, quick ? 2 : 4, quick ? 20 : 50);
    } finally {
      await primary.stop();
    }
  },
};

async function run(primary, idleSeconds, writes) {
  const { hash } = await primary.write("c0", 10_000, 1);
  const pollUs = await pollCost(primary, hash);
  // The first streams load what later ones share.
  const first = await openSubscribers(primary.url, 50);
  first.close();
  await until("no subscriber left", async () => (await primary.subscribers()) === 0);
  const before = await primary.memory();
  const aloneMs = await cpuOver(primary, idleSeconds);

  let subscribers;
  const connectMs = await elapsedMs(async () => {
    subscribers = await openSubscribers(primary.url, SUBSCRIBERS);
  });
  const after = await primary.memory();
  const beatsBefore = subscribers.beats();
  const idleMs = await cpuOver(primary, idleSeconds);
  const beats = subscribers.beats() - beatsBefore;

  const cpuBefore = await primary.cpuMs();
  const latencies = await announce(primary, subscribers, writes);
  const announceMs = (await primary.cpuMs()) - cpuBefore;
  subscribers.close();
  return {
    connectMs,
    rssKB: (after.rss - before.rss) / KB / SUBSCRIBERS,
    heapKB: (after.heapUsed - before.heapUsed) / KB / SUBSCRIBERS,
    beatUs: (1000 * (idleMs - aloneMs)) / beats,
    pollUs,
    lastP50: quantile(latencies, 0.5),
    lastP99: quantile(latencies, 0.99),
    announceUs: (1000 * announceMs) / (writes * SUBSCRIBERS),
  };
}

async function cpuOver(primary, seconds) {
  const before = await primary.cpuMs();
  await pause(seconds * 1000);
  return (await primary.cpuMs()) - before;
}

async function pollCost(primary, hash) {
  const requests = createBareRequests(primary.url, 1);
  const poll = async (times) => {
    for (let turn = 0; turn < times; turn += 1) await requests.pull("c0", hash);
  };
  await poll(POLLS);
  const before = await primary.cpuMs();
  await poll(POLLS);
  return (1000 * ((await primary.cpuMs()) - before)) / POLLS;
}

/** Milliseconds until the last subscriber had each of `writes` announcements. */
async function announce(primary, subscribers, writes) {
  const lastAt = [];
  const before = subscribers.announced();
  const watcher = setInterval(() => {
    const complete = Math.floor((subscribers.announced() - before) / SUBSCRIBERS);
    if (complete > lastAt.length) lastAt.push(subscribers.lastAnnouncedAt());
  }, 1);
  const job = { port: Number(new URL(primary.url).port), collections: 1, writes, connections: 1, bytes: 10_000 };
  const { writes: answered } = await writeDocuments({ ...job, everyMs: WRITE_EVERY_MS });
  await until("every announcement", () => lastAt.length === writes);
  clearInterval(watcher);
  return answered.map(({ at }, index) => Math.max(0, lastAt[index] - at));
}
