import { runFacts } from "../demo/run-facts.js";
import type { Terminal } from "../demo/terminal.js";
import { parseFlags } from "../parse-flags.js";
import { requirePackages } from "./require-packages.js";
import { runLiveTables } from "./run-live-tables.js";
import { verifyTables } from "./verify-tables.js";
import { startWorld } from "./world.js";

/**
 * The command `demo tables`.
 * @returns whether all went well; without `--once` it goes on until a signal or a key ends the process
 * @throws UsageError on flags that it does not have; Error when it cannot start
 */
export async function runDemoTables(args: readonly string[], terminal: Terminal): Promise<boolean> {
  const { once } = parseFlags(args, { once: "boolean", help: "boolean" });
  requirePackages();
  terminal.stdout.write("Starting a PostgreSQL of its own ...\n");
  const world = await startWorld();
  if (!once) return await runLiveTables(world, terminal);
  const verify = verifyTables.bind(null, world);
  return await runFacts({ plugins: [], verify, stop: world.stop, summary: "The tables hold" }, terminal);
}
