import { parseFlags } from "../parse-flags.js";
import { UsageError } from "../usage-error.js";
import { startCluster } from "./cluster.js";
import { runLive } from "./run-live.js";
import { runOnce } from "./run-once.js";
import type { Terminal } from "./terminal.js";

/**
 * The command `demo`.
 * @returns whether all went well; without `--once` it goes on until a signal or a key ends the process
 * @throws UsageError on flags that it does not have; Error when it cannot start
 */
export async function runDemo(args: readonly string[], terminal: Terminal): Promise<boolean> {
  const { once, port } = parseFlags(args, { once: "boolean", port: "string", help: "boolean" });
  const replicaPort = parsePort(port ?? "0");
  const cluster = await startCluster(replicaPort);
  return once ? await runOnce(cluster, terminal) : await runLive(cluster, terminal);
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new UsageError(`--port takes a number from 0 to 65535, got "${text}"`);
  return port;
}
