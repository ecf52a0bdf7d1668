import { setImmediate as turn } from "node:timers/promises";
import Database from "better-sqlite3";

/**
 * Looks at a local file all the time, as any program may: `file table batchSize`. Every look is one transaction. Says what it has seen that
 * cannot be when a line comes on stdin.
 */
const [file = "", table = "", batch = "0"] = process.argv.slice(2);
const batchSize = Number(batch);
const database = new Database(file, { readonly: true });
const mistakes = new Set<string>();
const counts = new Set<number>();
let looks = 0;
let last = 0;
let ended = false;
process.stdin.once("data", () => {
  ended = true;
});

const there = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
const look = database.transaction(() => {
  if (!there.get(table)) {
    if (last > 0) mistakes.add("the table is missing");
    return;
  }
  const { n, generations } = database
    .prepare(`SELECT count(*) AS n, count(DISTINCT generation) AS generations FROM "${table}"`)
    .get() as { n: number; generations: number };
  counts.add(n);
  if (batchSize === 0) {
    if (n === 0) mistakes.add("the table is empty");
    if (n < last) mistakes.add(`${n} rows after ${last}`);
    if (generations > 1) mistakes.add(`rows of ${generations} generations`);
  } else {
    const pulled = database.prepare("SELECT sum(rows_pulled) FROM replication_runs").pluck().get() as number;
    if (n % batchSize !== 0) mistakes.add(`${n} rows: half a batch`);
    if (n !== pulled) mistakes.add(`${n} rows, and the books say ${pulled}`);
  }
  last = n;
});

process.stdout.write("looking\n");
while (!ended) {
  look();
  looks += 1;
  await turn();
}
process.stdout.write(`seen ${JSON.stringify({ looks, counts: counts.size, mistakes: [...mistakes] })}\n`);
database.close();
