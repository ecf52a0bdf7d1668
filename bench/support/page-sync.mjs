import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { PAGES } from "./contender.mjs";
import { peakRssMB } from "./peak-rss.mjs";

/** Bytes that wait to be written to disks are written: what one measure leaves is not to be paid by the next. */
export function settleDisk() {
  execFileSync("sync");
}

/**
 * One push or pull through the public API, with a process of its own as it always has.
 * @returns `ms`, `bytes` on the wire both ways as the server has counted them, `pages` that travelled, and of that process `rssMB`
 */
export async function syncPages(direction, { server, token, file }) {
  const { createPageClient } = await import(PAGES);
  const client = createPageClient({ url: server.url });
  settleDisk();
  await server.ask("mark");
  let rssMB = 0;
  const look = setInterval(() => {
    rssMB = Math.max(rssMB, ...childrenOf(process.pid, server.pid).map((pid) => peakRssMB(pid) ?? 0));
  }, 20);
  const start = performance.now();
  const result = await client[direction]({ file, token });
  const ms = performance.now() - start;
  clearInterval(look);
  await client.close();
  const counters = await server.ask("counters");
  return { ms, bytes: counters.bytes, pages: result.pagesTransferred, changed: result.changed, rssMB, counters };
}

function childrenOf(pid, except) {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" "))
    .map(Number)
    .filter((child) => child > 0 && child !== except);
}
