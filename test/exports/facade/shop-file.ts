import { join } from "node:path";
import Database from "better-sqlite3";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";

export interface ShopFile {
  readonly dir: string;
  readonly path: string;
  /** An open connection that writes, as the program does whose database it is. */
  readonly db: Database.Database;
}

/** A database in WAL mode: users, and orders of 10 kB that nothing makes smaller. */
export function makeShop(orders: number): ShopFile {
  const dir = tempDir();
  const path = join(dir, "shop.db");
  const db = new Database(path, { timeout: 0 });
  atEnd(() => db.close());
  db.pragma("journal_mode = WAL");
  db.exec(`
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO users (name) VALUES ('Ada'), ('Grace'), (NULL);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, body BLOB);
    CREATE VIEW names AS SELECT name FROM users;
    CREATE TABLE ticks (x);
    CREATE TABLE "a/b.c ü" (x);
    INSERT INTO "a/b.c ü" VALUES (1);
  `);
  db.prepare(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO orders SELECT i, randomblob(10000) FROM n WHERE ? > 0",
  ).run(orders, orders);
  return { dir, path, db };
}

/** Whether anybody stands on an old state of the database, so that the WAL cannot be begun anew. */
export function hasReaders({ db }: ShopFile): boolean {
  db.exec("INSERT INTO ticks VALUES (1)");
  const [result] = db.pragma("wal_checkpoint(TRUNCATE)") as [{ readonly busy: number }];
  return result.busy !== 0;
}
