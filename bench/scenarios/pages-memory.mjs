import { mkdirSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { makePageDatabases } from "../support/page-accounts.mjs";
import { pageSource } from "../support/page-source.mjs";
import { syncPages } from "../support/page-sync.mjs";
import { startPageServer } from "../support/start-page-server.mjs";

const IDLE_MS = 3000;

export const scenario = {
  title: "Pages: memory and the server's event loop",
  how: "first push, first pull, and a push of the same again, of 100 MB and of 1 GB, each size with a server that was started for it: the most memory that the process of a sync and the server ever had resident. The server's event loop while 1 GB goes through it, and idle for 3 s: `perf_hooks.monitorEventLoopDelay({ resolution: 1 })`, whose interval of 1 ms is part of every value; client and server share two cores",
  versus: {},
  warmUp: false,
  roundTimeoutMs: 400_000,
  rounds: 3,
  quickRounds: 1,
  measures: [
    { key: "smallPush", label: "push of 100 MB, peak RSS of its process", unit: "MB", better: "less" },
    { key: "largePush", label: "push of 1 GB, peak RSS of its process", unit: "MB", better: "less" },
    { key: "smallPull", label: "pull of 100 MB, peak RSS of its process", unit: "MB", better: "less" },
    { key: "largePull", label: "pull of 1 GB, peak RSS of its process", unit: "MB", better: "less" },
    { key: "smallServer", label: "100 MB, peak RSS of the server", unit: "MB", better: "less" },
    { key: "largeServer", label: "1 GB, peak RSS of the server", unit: "MB", better: "less" },
    { key: "pushP99", label: "event loop, push of 1 GB, p99", unit: "ms", better: "less" },
    { key: "pushMax", label: "event loop, push of 1 GB, longest", unit: "ms", better: "less" },
    { key: "pullP99", label: "event loop, pull of 1 GB, p99", unit: "ms", better: "less" },
    { key: "pullMax", label: "event loop, pull of 1 GB, longest", unit: "ms", better: "less" },
    { key: "idleP99", label: "event loop, idle, p99", unit: "ms", better: "less" },
  ],
  async run({ file, quick }) {
    const small = await measure(pageSource(file, quick ? 0.01 : 0.1), `${file}-small`);
    const large = await measure(pageSource(file, quick ? 0.1 : 1), `${file}-large`);
    return {
      smallPush: small.push.rssMB,
      largePush: large.push.rssMB,
      smallPull: small.pull.rssMB,
      largePull: large.pull.rssMB,
      smallServer: small.serverMB,
      largeServer: large.serverMB,
      pushP99: large.push.counters.loopP99,
      pushMax: large.push.counters.loopMax,
      pullP99: large.pull.counters.loopP99,
      pullMax: large.pull.counters.loopMax,
      idleP99: large.idle.loopP99,
    };
  },
};

async function measure(source, folder) {
  const dir = `${folder}/server`;
  const pulled = `${folder}/pulled.db`;
  mkdirSync(dir, { recursive: true });
  // Argon2 takes memory of its own, in another server.
  const first = await startPageServer(dir);
  const { database } = await makePageDatabases(first.url, ["database"]);
  await first.stop();
  const server = await startPageServer(dir);
  try {
    await server.ask("mark");
    await pause(IDLE_MS);
    const idle = await server.ask("counters");
    const push = await syncPages("push", { server, token: database.push, file: source });
    const pull = await syncPages("pull", { server, token: database.pull, file: pulled });
    const again = await syncPages("push", { server, token: database.push, file: source });
    return { idle, push, pull, serverMB: again.counters.rssMB };
  } finally {
    await server.stop();
    rmSync(`${source}-replica.json`, { force: true });
    rmSync(folder, { recursive: true });
  }
}
