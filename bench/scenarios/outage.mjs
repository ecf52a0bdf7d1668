import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { MemoryObjectStore, pull, push } from "@drakkar.software/starfish-server";
import { remoteCollections } from "../support/collections.mjs";
import { FEEDS } from "../support/contender.mjs";
import { epochMs } from "../support/epoch-ms.mjs";
import { startPrimary } from "../support/start-primary.mjs";
import { until } from "../support/until.mjs";
import { WatchedDocuments } from "../support/watched-documents.mjs";

const COLLECTIONS = 1000;
const PENDING = 100;
const DOCUMENT_BYTES = 1000;
const INTERVAL_MS = 3000;
/** From the start of polling: the primary is gone at the first and back at the second, half way between two polls of a fixed interval. */
const GONE_AT_MS = 2500;
const BACK_AT_MS = 7500;

export const scenario = {
  title: "Recovery of 1,000 collections after an outage",
  how: `documents of 1 KB, \`intervalMs: ${INTERVAL_MS}\`. The primary is killed ${GONE_AT_MS} ms after \`start()\` and its port refuses connections; ${BACK_AT_MS} ms after \`start()\`, half way between two polls of a fixed interval, a new one has the port, every document changed; from then until every local copy is in step. With the feed over SSE: the same with \`on_change\` beside \`scheduled\`, and ${PENDING} of the collections \`bidirectional\` with a local write from during the outage, until the primary has those too`,
  warmUp: false,
  rounds: 2,
  quickRounds: 1,
  measures: [
    { key: "attempts", label: "connections tried during the outage", better: "less" },
    { key: "outageCpuMs", label: "processor time during the outage", unit: "ms", better: "less" },
    { key: "halfMs", label: "half of them in step again", unit: "ms", better: "less" },
    { key: "allMs", label: "all in step again", unit: "ms", better: "less" },
    { key: "peakSockets", label: "sockets, most at once after the outage", better: "less" },
    { key: "feedAttempts", label: "with the feed: connections tried during the outage", better: "less" },
    { key: "feedAllMs", label: "with the feed: all in step again", unit: "ms", better: "less" },
    {
      key: "feedPendingMs",
      label: `with the feed: ${PENDING} waiting writes at the primary`,
      unit: "ms",
      better: "less",
    },
  ],
  async run({ contender, load }) {
    const { ReplicaManager } = await load();
    const polled = await measure(ReplicaManager, {});
    if (contender === "theirs") return polled;
    const { createSseFeed } = await import(FEEDS);
    const told = await measure(ReplicaManager, { createSseFeed });
    return { ...polled, feedAttempts: told.attempts, feedAllMs: told.allMs, feedPendingMs: told.pendingMs };
  },
};

async function measure(ReplicaManager, { createSseFeed }) {
  const port = await freePort();
  const options = { collections: COLLECTIONS, port, ...(createSseFeed && { feed: {} }) };
  const primary = await startFilled(options, 1);
  await primary.control.open();

  const { url } = primary.control;
  const local = new WatchedDocuments();
  const store = new MemoryObjectStore(local);
  const syncTriggers = createSseFeed ? ["scheduled", "on_change"] : ["scheduled"];
  const collections = remoteCollections(COLLECTIONS, url, { syncTriggers, intervalMs: INTERVAL_MS });
  if (createSseFeed) for (const { remote } of collections.slice(-PENDING)) remote.writeMode = "bidirectional";
  const feed = createSseFeed?.({ url: `${url}/changes` });
  const manager = new ReplicaManager(store, collections, { onError: () => {}, ...(feed && { feed }) });
  const attempts = countConnectionAttempts(port);

  const startedAt = performance.now();
  const at = (ms) => pause(startedAt + ms - performance.now());
  manager.start();
  await until("the first sync", () => local.arrivals().length >= COLLECTIONS);
  await at(GONE_AT_MS);
  await primary.stop();
  attempts.mark();
  const cpuBefore = process.cpuUsage();
  const next = await startFilled(options, 2);
  const edited = feed ? collections.slice(-PENDING).map(({ name }) => name) : [];
  for (const name of edited) await editLocally(store, manager, name);
  local.mark();
  await at(BACK_AT_MS);

  const { user, system } = process.cpuUsage(cpuBefore);
  const result = { attempts: attempts.count(), outageCpuMs: (user + system) / 1000 };
  await next.control.mark();
  const back = epochMs();
  await next.control.open();
  const inStep = () => new Set(local.arrivals().flatMap(({ name, revision }) => (revision === 2 ? [name] : []))).size;
  await until("half in step", () => inStep() >= COLLECTIONS / 2);
  result.halfMs = epochMs() - back;
  await until("all in step", () => inStep() === COLLECTIONS);
  result.allMs = epochMs() - back;
  if (feed) {
    let sent = [];
    const isSent = async () => {
      sent = (await next.control.arrivals()).filter((arrival) => arrival.edited);
      return sent.length >= edited.length;
    };
    await until("waiting writes sent", isSent, 50);
    result.pendingMs = Math.max(...sent.map(({ at }) => at)) - back;
  }
  result.peakSockets = (await next.control.counters()).peakSockets;
  await manager.stop();
  await next.stop();
  attempts.stop();
  return result;
}

/** A primary with its documents, whose port is closed. */
async function startFilled(options, revision) {
  const primary = await startPrimary(options);
  await primary.control.fill(COLLECTIONS, DOCUMENT_BYTES, revision);
  return primary;
}

/** What a client's push to the replica does. */
async function editLocally(store, manager, name) {
  await manager.beforeLocalWrite(name);
  const { data, hash } = await pull(store, `${name}/doc`);
  await push(store, `${name}/doc`, { ...data, edited: true }, hash);
  manager.afterLocalWrite(name);
}

/** Sockets that this process tries to open to a port of this machine, by whichever HTTP client. */
function countConnectionAttempts(port) {
  let count = 0;
  const sockets = channel("net.client.socket");
  const look = ({ socket }) => {
    socket.once("connectionAttempt", (_ip, to) => {
      if (to === port) count += 1;
    });
  };
  sockets.subscribe(look);
  return {
    mark() {
      count = 0;
    },
    count: () => count,
    stop: () => sockets.unsubscribe(look),
  };
}

async function freePort() {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address();
  await once(server.close(), "close");
  return port;
}
