import { existsSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";

const PAGES = 244_200;
const ROWS_A_PAGE = 4;

/**
 * A database of 1 GB in pages of 4096 bytes, in WAL mode and closed, made in the run's own folder by whoever comes first: four rows on a page, of which most
 * is random.
 * @param file of this round
 * @param share of the size, for instance a tenth
 */
export function pageSource(file, share = 1) {
  const path = join(dirname(dirname(file)), `source-${share}.db`);
  if (existsSync(path)) return path;
  const made = `${path}.made`;
  const database = new Database(made);
  database.pragma("page_size = 4096");
  database.pragma("journal_mode = OFF");
  database.pragma("synchronous = OFF");
  database.exec(`BEGIN;
    CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, body BLOB NOT NULL);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${Math.round(PAGES * share) * ROWS_A_PAGE})
      INSERT INTO items SELECT i, 'item ' || i, randomblob(970) FROM n;
    COMMIT`);
  database.pragma("journal_mode = WAL");
  database.close();
  renameSync(made, path);
  return path;
}

/** Changes one row. */
export function changeRow(path) {
  change(path, "id = (SELECT max(id) / 2 FROM items)");
}

/** Changes a row on each hundredth page. */
export function changeHundredth(path) {
  change(path, `id % ${100 * ROWS_A_PAGE} = 1`);
}

function change(path, which) {
  const database = new Database(path);
  database.prepare(`UPDATE items SET body = randomblob(970) WHERE ${which}`).run();
  database.close();
}
