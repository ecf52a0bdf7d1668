import { Worker } from "node:worker_threads";

// A thread, because the main one may be inside SQLite for ever. A process whose parent has ended gets another one.
const WATCH = `
  const parent = process.ppid;
  setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, 500);
`;

/**
 * Ends this process soon after its parent has ended, however that came about and whatever it is doing. Ctrl-C and the like reach a whole
 * group of processes; here only the parent decides what they mean.
 */
export function endWithParent(): void {
  new Worker(WATCH, { eval: true, execArgv: [] }).unref();
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
}
