// Syncs again and again, each as the process of the package's own runs it, until it is killed: `push <origin> <file> <seed>` writes version after version
// and pushes each; `pull <origin> <file>,<file>…` pulls into each file in turn, of which `fresh.db` is removed before. The token is in SYNC_TOKEN. On the line `pause` it finishes one more sync
// of each file, and waits for the line `go`.
import { rmSync } from "node:fs";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { ReplicaError } from "../../../src/errors.js";
import { runSync } from "../../../src/pages/client/run-sync.js";
import type { PageSyncResult } from "../../../src/pages/page-client.js";
import { versionIn, writeNext } from "./numbered-database.js";
import { seededRandom } from "./seeded-random.js";

const [direction = "push", origin = "", files = "", seed = "0"] = process.argv.slice(2);
const url = `${origin.replace(/^http/, "ws")}/sync`;
const token = process.env.SYNC_TOKEN ?? "";
const random = seededRandom(Number(seed));
const signal = new AbortController().signal;
let go: (() => void) | null = null;
let pausing: Promise<void> | null = null;
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "go") return go?.();
  pausing = new Promise((resolve) => {
    go = resolve;
  });
});

/** Until it succeeds; what is not to be tried again ends the process, and says so. */
async function sync(file: string): Promise<PageSyncResult> {
  for (;;) {
    try {
      const call = {
        direction: direction as "push" | "pull",
        url,
        idleMs: 20_000,
        file,
        token,
        force: false,
        check: false,
      };
      return await runSync({ call, signal, tell: () => {} });
    } catch (error) {
      const isTransient = error instanceof ReplicaError && error.retryable;
      if (!isTransient) console.log(`failed ${error instanceof Error ? error.stack : error}`);
      if (!isTransient) process.exit(1);
      console.log(`again ${error.code}`);
      await delay(30);
    }
  }
}

async function pushOnce(isFirst: boolean): Promise<void> {
  const version = isFirst ? versionIn(files) : writeNext(files, random);
  console.log(`pushing ${version}`);
  const { generation } = await sync(files);
  console.log(`pushed ${version} ${generation}`);
}

async function pullAll(): Promise<void> {
  for (const file of files.split(",")) {
    if (basename(file) === "fresh.db")
      for (const part of ["-replica.json", ""]) rmSync(`${file}${part}`, { force: true });
    console.log("pulling");
    const { generation } = await sync(file);
    console.log(`pulled ${generation}`);
  }
}

for (let round = 0; ; round += 1) {
  // What was asked for before this sync began.
  const pause = pausing;
  await (direction === "push" ? pushOnce(round === 0) : pullAll());
  if (pause === null) continue;
  console.log("paused");
  await pause;
  pausing = null;
}
