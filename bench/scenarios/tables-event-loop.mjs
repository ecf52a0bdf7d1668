import { spawn } from "node:child_process";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { TABLES } from "../support/contender.mjs";
import { copyTable } from "../support/table-copy.mjs";
import { verifyCopy } from "../support/verify-copy.mjs";

const IDLE_MS = 3000;

export const scenario = {
  title: "Tables: the event loop while copying",
  how: "`perf_hooks.monitorEventLoopDelay({ resolution: 1 })` in the main thread of a process that does nothing but copy 1,000,000 rows for the first time, and before for 3 s with nothing else and for 3 s beside two other processes that are busy: PostgreSQL and the copying thread take two cores as those do. The interval of 1 ms is part of every value",
  postgres: { items: 1_000_000 },
  versus: {},
  warmUp: false,
  rounds: 3,
  measures: [
    { key: "p50", label: "p50", unit: "ms", better: "less" },
    { key: "p99", label: "p99", unit: "ms", better: "less" },
    { key: "max", label: "longest", unit: "ms", better: "less" },
    { key: "idleP50", label: "idle, p50", unit: "ms", better: "less" },
    { key: "idleP99", label: "idle, p99", unit: "ms", better: "less" },
    { key: "idleMax", label: "idle, longest", unit: "ms", better: "less" },
    { key: "besideP99", label: "idle beside two busy processes, p99", unit: "ms", better: "less" },
    { key: "besideMax", label: "idle beside two busy processes, longest", unit: "ms", better: "less" },
  ],
  async run({ postgres: { url, tables: sizes }, file }) {
    await import(TABLES);
    const idle = await watchLoop(() => pause(IDLE_MS));
    const others = [1, 2].map(() => spawn(process.execPath, ["--eval", "for (;;);"], { stdio: "ignore" }));
    const beside = await watchLoop(() => pause(IDLE_MS));
    for (const other of others) other.kill("SIGKILL");
    const busy = await watchLoop(async () => {
      const { tables } = await copyTable({ url, file, table: "items" });
      await tables.stop();
    });
    verifyCopy(file, "items", sizes.items);
    return {
      ...busy,
      idleP50: idle.p50,
      idleP99: idle.p99,
      idleMax: idle.max,
      besideP99: beside.p99,
      besideMax: beside.max,
    };
  },
};

async function watchLoop(work) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  await work();
  delays.disable();
  return { p50: delays.percentile(50) / 1e6, p99: delays.percentile(99) / 1e6, max: delays.max / 1e6 };
}
