import { Worker } from "node:worker_threads";

// A thread, because the main one may be inside SQLite for ever. A process whose parent has ended gets another one.
const WATCH = `
  const { workerData: parentPid } = require("node:worker_threads");
  setInterval(() => { if (process.ppid !== parentPid) process.kill(process.pid, "SIGKILL"); }, 500);
`;

/**
 * Ends this process soon after its parent has ended, however that came about and whatever it is doing. Ctrl-C and the like reach a whole
 * group of processes; here only the parent decides what they mean.
 * @param parentPid as the parent itself says: it may have ended before this process has looked.
 */
export function endWithParent(parentPid: number): void {
  new Worker(WATCH, { eval: true, execArgv: [], workerData: parentPid }).unref();
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
}
