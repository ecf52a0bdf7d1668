import { buildOnce } from "./build-once.js";
import { type ChildExit, spawnNode } from "./child.js";
import { realDelay, realNow } from "./real-time.js";

interface EndsOptions {
  /** The line of stdout from which on nothing should keep the process alive. Default: a line that is `done`. */
  readonly marker?: RegExp;
  /** How long it may live after that. Default 2 000. */
  readonly withinMs?: number;
  /** How long until the marker. Default 15 000. */
  readonly startTimeoutMs?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const REPORT_SIGNAL = "SIGUSR2";
const reporter = `data:text/javascript,${encodeURIComponent(
  `process.on("${REPORT_SIGNAL}", () => process.stderr.write("open: " + process.getActiveResourcesInfo().join(", ") + "\\n"))`,
)}`;

/**
 * Runs a module (TypeScript too) in a process of its own and resolves when that ends by itself, with code 0, within `withinMs` after it
 * printed the marker. Rejects otherwise, naming the kinds of resources that were still open.
 */
export async function expectProcessEnds(
  entry: string,
  options: EndsOptions = {},
): Promise<ChildExit & { afterMs: number }> {
  const { marker = /^done$/, withinMs = 2_000, startTimeoutMs = 15_000 } = options;
  const file = entry.endsWith(".mjs") ? entry : await buildOnce(entry);
  const child = spawnNode(file, options.args, {
    nodeArgs: ["--import", reporter],
    ...(options.env && { env: options.env }),
  });
  await child.waitForLine(marker, startTimeoutMs);
  const since = realNow();
  const timer = new AbortController();
  const exit = await Promise.race([child.exited, realDelay(withinMs, timer.signal)]);
  timer.abort();
  if (exit === undefined) {
    child.signal(REPORT_SIGNAL);
    await Promise.race([child.exited, realDelay(300)]);
    await child.kill();
    throw new Error(`The process was still alive ${withinMs} ms after ${marker}\n${child.stderr}`);
  }
  if (exit.code !== 0) throw new Error(`The process ended with ${exit.signal ?? exit.code}\n${child.stderr}`);
  return { ...exit, afterMs: realNow() - since };
}
