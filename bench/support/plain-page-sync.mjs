import { fork } from "node:child_process";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { settleDisk } from "./page-sync.mjs";

/** One push or pull as clients of the original protocol do it, in a process of its own. @returns `ms`, `bytes` and `pages` as `syncPages` */
export async function syncPlainPages(direction, { server, token, file }) {
  settleDisk();
  await server.ask("mark");
  const start = performance.now();
  const job = { url: `${server.url.replace("http", "ws")}/sync`, token, direction, file };
  const child = fork(new URL("plain-page-client.mjs", import.meta.url), [JSON.stringify(job)], { execArgv: [] });
  const ended = once(child, "exit");
  const [{ pages }] = await Promise.race([once(child, "message"), failed(ended)]);
  await ended;
  const ms = performance.now() - start;
  const { bytes } = await server.ask("counters");
  return { ms, bytes, pages };
}

async function failed(ended) {
  const [code, signal] = await ended;
  if (code !== 0) throw new Error(`The plain client ended (${signal ?? code})`);
  return new Promise(() => {});
}
