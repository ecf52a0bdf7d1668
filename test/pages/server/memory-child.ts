// A sync server in a process of its own, whose memory is looked at from outside.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connectRawPeer } from "./raw-peer.js";
import { makeDatabase, pushWhole } from "./simple-sync.js";
import { startSyncServer } from "./sync-server.js";

const dir = mkdtempSync(join(tmpdir(), "starfish-replica-"));
const server = await startSyncServer({ dir, parts: { idleMs: 1_000 } });
const file = makeDatabase(join(dir, "a.db"), { pages: Number(process.argv[2]) });
await pushWhole(await connectRawPeer(server.url, server.token("push")), file.subarray(), 4096);
const tell = (what: object) => console.log(JSON.stringify(what));
createInterface({ input: process.stdin }).on("line", async (line) => {
  if (line === "memory") {
    globalThis.gc?.();
    tell({ rss: process.memoryUsage.rss(), active: server.endpoint.active, errors: server.errors.map(String) });
  }
  if (line === "stop") {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
    process.stdin.destroy();
    tell({ stopped: true });
  }
});
let peak = 0;
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 5).unref();
process.on("SIGUSR2", () => {
  tell({ peak });
  peak = 0;
});
tell({ port: server.port, push: server.token("push"), pull: server.token("pull") });
