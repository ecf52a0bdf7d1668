/**
 * A page server over a folder, in a process of its own. Its argument is JSON: `dir`. It tells its parent `{ port }`, answers the commands that its
 * parent sends (`{ command }`), and ends with its parent.
 */
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { serve } from "@hono/node-server";
import { PAGES } from "./support/contender.mjs";
import { countTraffic } from "./support/count-traffic.mjs";
import { BENCH_SESSION_KEY } from "./support/page-accounts.mjs";
import { peakRssMB } from "./support/peak-rss.mjs";

const { dir } = JSON.parse(process.argv[2]);
const { createPageServer } = await import(PAGES);
const pages = createPageServer({ dir, sessionKey: BENCH_SESSION_KEY });
await pages.start();
const server = serve({ fetch: pages.app.fetch, hostname: "127.0.0.1", port: 0 });
server.on("upgrade", pages.upgrade);
const traffic = countTraffic(server);
const delays = monitorEventLoopDelay({ resolution: 1 });

const commands = {
  mark() {
    traffic.mark();
    delays.reset();
    delays.enable();
  },
  /** Since the mark. The interval of 1 ms is part of every delay. */
  counters() {
    delays.disable();
    const { bytes } = traffic.counters();
    return { bytes, loopP99: delays.percentile(99) / 1e6, loopMax: delays.max / 1e6, rssMB: peakRssMB() };
  },
  async stop() {
    await pages.stop();
    server.close();
  },
};

process.on("message", async ({ command }) => {
  const answer = (await commands[command]()) ?? {};
  process.send(answer, () => command === "stop" && process.exit());
});
process.once("disconnect", () => process.exit());
await once(server, "listening");
process.send({ port: server.address().port });
