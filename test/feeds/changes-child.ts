import { createInterface } from "node:readline";
import { startChangesHost } from "./changes-host.js";

/** A primary with a change feed in a process of its own. Says `port N`; answers `report` and `publish N` with a line of JSON. */
const host = await startChangesHost({ maxSubscribers: 2_000 });
let published = 0;
process.stdout.write(`port ${host.port}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = line.split(" ");
  if (command === "publish") {
    for (let n = Number(argument); n > 0; n--) {
      published += 1;
      // As requests do, each of which takes a turn.
      if (published % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      const hash = String(published).padStart(64, "0");
      await host.changes.publish({
        collection: "posts",
        namespace: null,
        key: "posts/doc",
        hash,
        timestamp: Date.now(),
      });
    }
  }
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { subscribers } = host.changes;
  process.stdout.write(
    `${JSON.stringify({ rss, heapUsed, external, cpuMs: (user + system) / 1_000, subscribers, published })}\n`,
  );
}
