// One sync as the process of the package's own runs it, and the most memory that it had: `node sync-once-child push|pull <origin> <file>`. The token is in
// SYNC_TOKEN.
import { runSync } from "../../../src/pages/client/run-sync.js";
import { peakMemory } from "./peak-memory.js";

const [direction = "push", origin = "", file = ""] = process.argv.slice(2);
const url = `${origin.replace(/^http/, "ws")}/sync`;
const call = {
  direction: direction as "push" | "pull",
  url,
  idleMs: 60_000,
  file,
  token: process.env.SYNC_TOKEN ?? "",
  force: false,
  check: false,
};
const begun = performance.now();
const result = await runSync({ call, signal: new AbortController().signal, tell: () => {} });
console.log(`done ${JSON.stringify({ ...result, peak: peakMemory(), ms: Math.round(performance.now() - begun) })}`);
