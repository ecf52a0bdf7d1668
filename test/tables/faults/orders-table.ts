import Database from "better-sqlite3";
import { expect } from "vitest";
import type { TestDatabase } from "../../support/postgres.js";

/** A table as shops have it: rows of a year, changed now and then. `updated_at` knows nothing of the order of ids. */
export async function createOrders(source: TestDatabase, rows: number, name = "orders"): Promise<void> {
  await source.query(`CREATE TABLE ${name} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer text NOT NULL, amount int NOT NULL, note text,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp())`);
  await source.query(
    `INSERT INTO ${name} (customer, amount, note, updated_at)
     SELECT md5(i::text), i, CASE WHEN i % 3 = 0 THEN repeat('note ', i % 20) END, now() - random() * interval '365 days'
     FROM generate_series(1, $1::int) i`,
    [rows],
  );
  await source.query(`CREATE INDEX ON ${name} (updated_at); ANALYZE ${name}`);
}

/** Reads both sides without the package's help, a piece at a time. @returns how many rows there are. */
export async function expectEqual(source: TestDatabase, file: string, name = "orders"): Promise<number> {
  const database = new Database(file, { readonly: true });
  try {
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    const page = database
      .prepare(`SELECT id, customer, amount, note, updated_at FROM ${name} WHERE id > ? ORDER BY id LIMIT 20000`)
      .raw();
    let [last, count] = [0, 0];
    for (;;) {
      const there = await source.query<{ row: unknown[] }>(
        `SELECT json_build_array(id, customer, amount, note, to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) AS row
         FROM ${name} WHERE id > $1 ORDER BY id LIMIT 20000`,
        [last],
      );
      const here = page.all(last) as unknown[][];
      const [theirs, ours] = [there.map(({ row }) => JSON.stringify(row)), here.map((row) => JSON.stringify(row))];
      expect(ours.filter((row, index) => row !== theirs[index]).slice(0, 5), "rows of the copy that differ").toEqual(
        [],
      );
      expect(ours.length).toBe(theirs.length);
      count += ours.length;
      if (ours.length === 0) return count;
      last = Number(here.at(-1)?.[0]);
    }
  } finally {
    database.close();
  }
}
