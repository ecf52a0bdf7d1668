import Database from "better-sqlite3";

/** Throws unless the local table has the rows 1 to `rows`, each once and whole. */
export function verifyCopy(file, table, rows) {
  const database = new Database(file, { readonly: true });
  try {
    const sql = `SELECT count(*) AS n, sum(id) AS ids, sum(round(price * 100)) AS cents, count(updated_at) AS times FROM ${table}`;
    const { n, ids, cents, times } = database.prepare(sql).get();
    const whole = Math.floor(rows / 1_000_000);
    // Prices repeat with every million rows.
    const expected = whole * 499_999_500_000 + centsOf(rows - whole * 1_000_000);
    if (n !== rows || ids !== (rows * (rows + 1)) / 2 || times !== rows || cents !== expected) {
      throw new Error(`the copy is not whole: ${n} rows, their ids sum up to ${ids}, their prices to ${cents / 100}`);
    }
  } finally {
    database.close();
  }
}

function centsOf(rows) {
  let sum = 0;
  for (let id = 1; id <= rows; id += 1) sum += (id * 7919) % 1_000_000;
  return sum;
}
