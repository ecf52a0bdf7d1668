// Programs that keep a database busy: `node writer-child <file> write|checkpoint <pause in ms>`. A writer makes one transaction after the other, small and
// large ones, and copies its log into the file after a few pages; a checkpointer tries all kinds of checkpoints. Ends with the line `end`.
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { transact } from "./transact.js";

const [file = "", role = "write", pause = "0"] = process.argv.slice(2);
const database = new Database(file, { timeout: role === "write" ? 10_000 : 0 });
database.pragma("wal_autocheckpoint = 20");
database.pragma("synchronous = OFF");
// Large transactions spill into the log, or the file, before they are committed.
database.pragma("cache_size = 20");
let isOver = false;
let commits = 0;
let longestMs = 0;
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "end") isOver = true;
  console.log(`report ${JSON.stringify({ commits, longestMs })}`);
  longestMs = 0;
});
console.log("ready");
while (!isOver) {
  const begun = performance.now();
  if (role === "write") {
    transact(database, commits % 25 === 24 ? "large" : "small");
  } else {
    try {
      database.pragma(`wal_checkpoint(${["PASSIVE", "FULL", "RESTART", "TRUNCATE"][commits % 4]})`);
    } catch {
      // Somebody is reading.
    }
  }
  longestMs = Math.max(longestMs, performance.now() - begun);
  commits += 1;
  await delay(Number(pause));
}
database.close();
process.exit(0);
