import Database from "better-sqlite3";

/** Moves money between accounts of a database, in transactions of many rows that leave the sum at 0, until it is sent a line. */
const database = new Database(process.argv[2] ?? "", { timeout: 10_000 });
const move = database.prepare("UPDATE accounts SET balance = balance + ? WHERE id = ?");
const touch = database.prepare("UPDATE pages SET body = substr(body, 2) || 'x' WHERE id = ?");
const pages = database.prepare("SELECT max(id) FROM pages").pluck().get() as number;
let longestMs = 0;
let transactions = 0;

const transfer = database.transaction(() => {
  for (let pair = 0; pair < 20; pair += 1) {
    const amount = 1 + Math.floor(Math.random() * 100);
    move.run(-amount, 1 + Math.floor(Math.random() * 1_000));
    move.run(amount, 1 + Math.floor(Math.random() * 1_000));
  }
  touch.run(1 + Math.floor(Math.random() * pages));
});

process.stdin.once("data", () => {
  process.stdout.write(`wrote ${transactions} transactions, the longest took ${Math.round(longestMs)} ms\n`);
  process.exit();
});

function next(): void {
  const began = performance.now();
  transfer.immediate();
  longestMs = Math.max(longestMs, performance.now() - began);
  transactions += 1;
  if (transactions === 1) process.stdout.write("writing\n");
  setTimeout(next, 2);
}
next();
