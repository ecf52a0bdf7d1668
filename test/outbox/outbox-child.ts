import { FilesystemObjectStore } from "@drakkar.software/starfish-server/node";
import { collection } from "../support/collection.js";
import { remote, startReplica } from "../support/replica.js";

/** A replica server over a folder, whose outboxes are at work: `url folder`. It is there to be killed. */
const [url = "", baseDir = ""] = process.argv.slice(2);

const replica = await startReplica({
  collections: [collection("merged"), collection("written")],
  remotes: {
    merged: remote(url, "merged", { writeMode: "bidirectional", syncTriggers: ["scheduled"], intervalMs: 10 }),
    written: remote(url, "written", { writeMode: "push_only", intervalMs: 20 }),
  },
  store: new FilesystemObjectStore({ baseDir }),
  backOff: { baseMs: 1, capMs: 20 },
  requestTimeoutMs: 2_000,
});
replica.manager.start();
process.stdout.write(`at ${replica.url}\n`);
