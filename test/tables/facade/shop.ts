import { join } from "node:path";
import Database from "better-sqlite3";
import { createTableReplication } from "../../../src/tables/index.js";
import type { TableReplication } from "../../../src/tables/table-replication.js";
import type { TableReplicationOptions } from "../../../src/tables/table-replication-options.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";

/** A SQLite database with tables `users` and `orders`, to copy from. */
export interface Shop {
  readonly dir: string;
  readonly path: string;
  /** For changes at the source. */
  readonly db: Database.Database;
  /** A replication of it, stopped when the test ends. */
  replication(options?: Partial<TableReplicationOptions>): TableReplication;
}

export function openShop(rows = 100): Shop {
  const dir = tempDir();
  const path = join(dir, "shop.db");
  const db = new Database(path);
  atEnd(() => db.close());
  db.pragma("journal_mode = WAL");
  db.exec("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, updated_at TEXT NOT NULL)");
  db.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER, total REAL)");
  const user = db.prepare("INSERT INTO users (name, updated_at) VALUES (?, ?)");
  const order = db.prepare("INSERT INTO orders (user_id, total) VALUES (?, ?)");
  db.transaction(() => {
    for (let row = 1; row <= rows; row += 1) {
      user.run(`user ${row}`, "2026-01-01T00:00:00.000Z");
      order.run(row, row / 2);
    }
  })();
  return {
    dir,
    path,
    db,
    replication(options = {}) {
      const tables = createTableReplication({
        database: join(dir, "replica.db"),
        sources: { shop: `sqlite:${path}` },
        lagSeconds: 0,
        ...options,
      });
      atEnd(() => tables.stop());
      return tables;
    },
  };
}
