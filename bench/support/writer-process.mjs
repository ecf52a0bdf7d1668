/** Commits a small transaction every few milliseconds, as durable as SQLite makes it, until it is told to say how long each took. In milliseconds. */
import Database from "better-sqlite3";

const PAUSE_MS = 5;
const database = new Database(process.argv[2], { timeout: 10_000 });
database.pragma("synchronous = FULL");
const update = database.prepare("UPDATE articles SET updated_at = updated_at + 1 WHERE id = ?");
let waits = [];
let turn = 0;

const timer = setInterval(() => {
  const begun = performance.now();
  update.run((turn % 20_000) + 1);
  waits.push(performance.now() - begun);
  turn += 7;
}, PAUSE_MS);

process.once("disconnect", () => process.exit());
process.on("message", (message) => {
  if (message === "take") {
    process.send(waits);
    waits = [];
    return;
  }
  clearInterval(timer);
  database.close();
  process.disconnect();
});
process.send("ready");
