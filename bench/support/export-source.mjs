import { existsSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";

const ITEMS = 1_250_000;

/**
 * The database that the scenarios about exports read, of some 300 MB (a tenth with `quick`), made in the run's own folder by whoever comes first.
 * `items` is two thirds of it: 9 columns of short texts and numbers as applications have them. Beside it longer texts, BLOBs, and rows of numbers.
 * @param file of this round
 */
export function exportSource(file, quick) {
  const path = join(dirname(dirname(file)), "source.db");
  if (existsSync(path)) return path;
  const made = `${path}.made`;
  const database = new Database(made);
  database.pragma("journal_mode = OFF");
  database.pragma("synchronous = OFF");
  const rows = (count) =>
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${quick ? count / 10 : count})`;
  database.exec(`BEGIN;
    CREATE TABLE items(id INTEGER PRIMARY KEY, title TEXT NOT NULL, sku TEXT, price REAL, active INTEGER, weight REAL, note TEXT, created_at TEXT, updated_at TEXT);
    CREATE TABLE articles(id INTEGER PRIMARY KEY, title TEXT, body TEXT, updated_at INTEGER);
    CREATE TABLE files(id INTEGER PRIMARY KEY, name TEXT, data BLOB);
    CREATE TABLE lines(id INTEGER PRIMARY KEY, item INTEGER NOT NULL, amount INTEGER, price REAL);
    ${rows(ITEMS)} INSERT INTO items SELECT i, 'Item ' || i || ' of the ' || (i % 97) || 'th kind' || CASE WHEN i % 20 = 0 THEN ', it''s "new"' ELSE '' END,
      'SKU-' || printf('%08x', i * 2654435761 % 4294967296), (i * 7919 % 1000000) / 100.0, i % 3 = 0, sqrt(i),
      CASE WHEN i % 4 = 0 THEN 'a note about item ' || i END, datetime(1700000000 + i, 'unixepoch'), datetime(1700000000 + i * 3, 'unixepoch') FROM n;
    ${rows(20_000)} INSERT INTO articles SELECT i, 'Title ' || i, replace(hex(zeroblob(80)), '00', 'words of it''s text, ' || char(10)) || i, 1700000000000 + i FROM n;
    ${rows(10_000)} INSERT INTO files SELECT i, 'file' || i || '.bin', randomblob(500 + i * 7 % 4000) FROM n;
    ${rows(2_000_000)} INSERT INTO lines SELECT i, i * 7919 % ${ITEMS} + 1, i % 12 + 1, (i * 131 % 100000) / 100.0 FROM n;
    CREATE INDEX lines_item ON lines(item);
    COMMIT`);
  database.pragma("journal_mode = WAL");
  database.close();
  renameSync(made, path);
  return path;
}
