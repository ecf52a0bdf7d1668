import { setTimeout as sleep } from "node:timers/promises";
import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { ReplicaManager } from "../../src/manager/replica-manager.js";
import type { WriteMode } from "../../src/modes/write-mode.js";

/** A program with a manager at a sick primary: `url scenario client`. Stops it, says `done`, and must then end by itself. */
const [url = "", scenario = "", client = ""] = process.argv.slice(2);

const modes: Record<string, WriteMode> = { push: "push_through", merge: "bidirectional" };
const manager = new ReplicaManager(
  new MemoryObjectStore(new Map()),
  [
    {
      name: "posts",
      storagePath: "posts/doc",
      remote: {
        url,
        pullPath: "/pull/posts/doc",
        pushPath: "/push/posts/doc",
        writeMode: modes[scenario] ?? "pull_only",
        syncTriggers: ["scheduled", "on_pull"],
        intervalMs: 50,
        onPullMaxWaitMs: 60_000,
      },
    },
  ],
  { requestTimeoutMs: 60_000, ...(client === "fetch" && { fetchFn: fetch }) },
);

const waiting: Array<Promise<unknown>> = [];
if (scenario !== "never") manager.start();
if (scenario === "push") waiting.push(manager.proxyPush("posts", '{"data":{},"baseHash":null}'));
if (scenario === "readers") for (let reader = 0; reader < 20; reader++) waiting.push(manager.onPull("posts"));
if (scenario === "asked") waiting.push(manager.syncNow("posts").catch(() => {}));
// Long enough to be in the middle of it; the scenarios hold whether it is or not.
if (scenario !== "at-once") await sleep(300);
await manager.stop();
await Promise.all(waiting);
process.stdout.write("done\n");
