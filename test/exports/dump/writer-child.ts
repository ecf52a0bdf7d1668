// A program that writes to a database: `node writer-child <file> <journal mode> <pause in ms>`. Each of its transactions adds one to both rows of `pair`,
// which are far apart, and to a row of `filler`. For each line `report` it says how often it has written since the last, and what took longest.
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";

const [file = "", mode = "wal", pause = "0"] = process.argv.slice(2);
const database = new Database(file, { timeout: 10_000 });
database.pragma(`journal_mode = ${mode}`);
database.pragma("synchronous = FULL");
const first = database.prepare("UPDATE pair SET n = n + 1 WHERE id = 1");
const second = database.prepare("UPDATE pair SET n = n + 1 WHERE id = 2");
const filler = database.prepare(
  "UPDATE filler SET n = n + 1 WHERE id = 1 + abs(random()) % (SELECT max(id) FROM filler)",
);
const write = database.transaction(() => {
  first.run();
  filler.run();
  second.run();
});

let commits = 0;
let longestMs = 0;
const waits: number[] = [];
let isOver = false;
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "end") isOver = true;
  waits.sort((a, b) => a - b);
  const p99Ms = waits[Math.floor(waits.length * 0.99)] ?? 0;
  console.log(`report ${JSON.stringify({ commits, longestMs, p99Ms })}`);
  commits = 0;
  longestMs = 0;
  waits.length = 0;
});

console.log("ready");
while (!isOver) {
  const begun = performance.now();
  write.immediate();
  const took = performance.now() - begun;
  commits += 1;
  waits.push(took);
  longestMs = Math.max(longestMs, took);
  await delay(Number(pause));
}
database.close();
process.exit(0);
