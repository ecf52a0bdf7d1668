// Has database files open all the time and reads them again and again: `node reader-child <file>…`. Tells each version that it sees, and ends where it sees
// what is none.
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { wholeVersion } from "./numbered-database.js";

const open = process.argv.slice(2).map((file) => ({
  file,
  database: new Database(file, { timeout: 20_000 }),
  last: -1,
}));
for (;;) {
  for (const one of open) {
    const version = wholeVersion(one.database);
    if (version < one.last) throw new Error(`${one.file} went back from version ${one.last} to ${version}`);
    if (version > one.last) console.log(`sees ${version} ${one.file}`);
    one.last = version;
  }
  await delay(15);
}
