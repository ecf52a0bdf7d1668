// A program of its own: `pull OPTIONS`, or one that reads or writes a database while it is replaced: `loop PATH`, `hold PATH`, `write PATH`, `grow PATH`.
import { createInterface } from "node:readline";
import Database from "better-sqlite3";
import { type PullVersion, pullVersion } from "./pull-version.js";

const [what = "", argument = ""] = process.argv.slice(2);

if (what === "pull") {
  await pull(JSON.parse(argument) as PullVersion);
} else if (what === "loop") {
  await loop(argument);
} else if (what === "grow") {
  grow(argument);
} else {
  hold(argument, what === "write" ? "BEGIN IMMEDIATE" : "BEGIN");
}

async function pull(options: PullVersion): Promise<void> {
  try {
    const pulled = await pullVersion({
      ...options,
      beforeReplace: () => console.log("replacing"),
      onProgress: (done, total) => console.log(`step ${done} of ${total}`),
    });
    console.log(`done ${pulled.put} ${pulled.recognised}`);
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    console.log(`failed ${code} ${message}`);
  }
}

/** Reads all the time with one connection, and says each version that it sees, once. */
async function loop(path: string): Promise<void> {
  const database = new Database(path, { readonly: true, timeout: 20_000 });
  const read = database.prepare(
    "SELECT min(version) AS low, max(version) AS high, count(*) AS count, sum(length(body)) AS bytes FROM item",
  );
  let seen = "";
  for (;;) {
    const found = Object.values(read.get() as object).join(" ");
    if (found !== seen) console.log(`sees ${found}`);
    seen = found;
    await new Promise(setImmediate);
  }
}

/** Holds one transaction until a line comes; then says what it read, before and after. */
function hold(path: string, begin: string): void {
  const database = new Database(path, { timeout: 20_000 });
  const read = (): unknown => database.prepare("SELECT min(version) FROM item").pluck().get();
  database.exec(begin);
  console.log(`holds ${read()}`);
  createInterface({ input: process.stdin }).once("line", () => {
    const inside = read();
    database.exec("COMMIT");
    console.log(`held ${inside} ${read()}`);
    database.close();
    process.exit();
  });
}

/** At each line removes rows and adds more, with a connection that it keeps, and says what it found and whether the file is sound. */
function grow(path: string): void {
  const database = new Database(path, { timeout: 20_000 });
  const read = database.prepare("SELECT max(version) FROM item").pluck();
  read.get();
  createInterface({ input: process.stdin }).on("line", () => {
    database.exec(
      "DELETE FROM item WHERE id % 3 = 0; INSERT INTO item SELECT NULL, version, randomblob(900) FROM item",
    );
    console.log(`grown ${read.get()} ${database.pragma("integrity_check", { simple: true })}`);
  });
}
