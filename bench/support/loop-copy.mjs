import Database from "better-sqlite3";
import pg from "pg";
import { LOCAL_ITEMS } from "./items-table.mjs";

const BATCH = 500;

/** What one writes in ten minutes: pages of rows by id, each inserted in a transaction. */
export async function loopCopy({ url, file }) {
  const start = performance.now();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.exec(LOCAL_ITEMS);
  const insert = database.prepare("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const insertAll = database.transaction((rows) => {
    for (const { id, title, sku, price, active, weight, created_at, updated_at } of rows) {
      const times = [created_at.toISOString(), updated_at.toISOString()];
      insert.run(id, title, sku, price, active ? 1 : 0, weight, ...times);
    }
  });
  for (let last = "0"; ; ) {
    const { rows } = await client.query(`SELECT * FROM items WHERE id > $1 ORDER BY id LIMIT ${BATCH}`, [last]);
    if (rows.length === 0) break;
    insertAll(rows);
    last = rows.at(-1).id;
  }
  database.close();
  await client.end();
  return { ms: performance.now() - start };
}
