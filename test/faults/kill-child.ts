import { createInterface } from "node:readline";
import { FilesystemObjectStore } from "@drakkar.software/starfish-server/node";
import { collection } from "../support/collection.js";
import { remote, startReplica } from "../support/replica.js";

/** A replica server over a folder, polling all the time: `url folder`. `sync` on stdin syncs once; it is there to be killed. */
const [url = "", baseDir = ""] = process.argv.slice(2);

const polling = { syncTriggers: ["scheduled"], intervalMs: 8 } as const;
const replica = await startReplica({
  collections: [collection("followed"), collection("merged")],
  remotes: {
    followed: remote(url, "followed", polling),
    merged: remote(url, "merged", { ...polling, writeMode: "bidirectional" }),
  },
  store: new FilesystemObjectStore({ baseDir }),
  backOff: { baseMs: 1, capMs: 10 },
});
replica.manager.start();
process.stdout.write(`at ${replica.url}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "sync") {
    await replica.manager.syncAll();
    // A run that was under way may have asked before: the second one has not.
    await Promise.all(["followed", "merged"].map((name) => replica.manager.syncNow(name)));
    process.stdout.write(`synced ${JSON.stringify(replica.errors.map(({ error }) => error.message))}\n`);
  }
}
