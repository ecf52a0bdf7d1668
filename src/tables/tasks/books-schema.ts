import { ReplicaError } from "../../errors.js";
import { listColumns, tableExists } from "../local/create-table.js";
import type { LocalDatabase } from "../local/local-database.js";

const BOOKS_VERSION = 1;

// The comments are kept by SQLite: `.schema` in the sqlite3 shell shows them.
const BOOKS = `
CREATE TABLE replication_version (
  version INTEGER NOT NULL            -- of these four tables
);
CREATE TABLE replication_tasks (      -- what is copied
  id TEXT NOT NULL PRIMARY KEY,       -- a UUID
  source TEXT NOT NULL,               -- name of the source in the configuration
  source_table TEXT NOT NULL,
  target_table TEXT NOT NULL UNIQUE COLLATE NOCASE,
  columns TEXT,                       -- JSON array of names; NULL: all
  cursor_column TEXT,
  mode TEXT,                          -- append, upsert or full; NULL: not known before the first run
  interval_seconds NUMERIC NOT NULL,
  batch_size INTEGER NOT NULL,        -- rows per transaction
  deletes TEXT,                       -- reconcile, or NULL: deleted rows stay
  numeric TEXT NOT NULL,              -- real or text
  paused INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE replication_state (      -- how far each copy is, written in one transaction with its rows
  target_table TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,
  task_id TEXT,                       -- NULL: the task was removed, the table stayed
  cursor TEXT,                        -- value of the cursor column that the copy has reached, as the source writes it
  source_schema TEXT,                 -- JSON: the source's table when it was last copied
  data TEXT,                          -- JSON: what the next run needs to go on
  last_success_at TEXT,               -- when the newest run that ended without an error began
  updated_at TEXT NOT NULL            -- ISO 8601, UTC, like all times here
);
CREATE TABLE replication_runs (       -- history, the newest 200 runs of each task
  id INTEGER NOT NULL PRIMARY KEY,
  task_id TEXT NOT NULL,
  started_at TEXT NOT NULL,
  finished_at TEXT,                   -- NULL: under way
  rows_pulled INTEGER NOT NULL DEFAULT 0,
  rows_deleted INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  cursor TEXT,
  lossy_values INTEGER NOT NULL DEFAULT 0,        -- values that lost digits as REAL
  null_cursor_rows INTEGER NOT NULL DEFAULT 0,    -- rows that the cursor never reaches
  dropped_columns TEXT NOT NULL DEFAULT '[]',     -- JSON array: gone at the source, NULL here
  notes TEXT NOT NULL DEFAULT '[]',               -- JSON array of sentences
  error_code TEXT,
  error_message TEXT
);
CREATE INDEX replication_runs_of_task ON replication_runs (task_id, id);
`;

/**
 * Makes the books where the file has none: `replication_tasks`, `replication_state`, `replication_runs`, and `replication_version` for the
 * changes of later versions.
 * @throws `LOCAL_DATABASE` where the books are of a newer version of this package, or other tables have their names.
 */
export function createBooks(database: LocalDatabase): void {
  database.transaction(() => {
    if (tableExists(database, "replication_version")) return checkVersion(database);
    for (const name of ["replication_tasks", "replication_state", "replication_runs"]) {
      if (!tableExists(database, name)) continue;
      throw new ReplicaError(
        "LOCAL_DATABASE",
        `${database.path} has a table "${name}" that this package has not made (columns ${listColumns(database, name)
          .map((column) => column.name)
          .join(", ")})`,
        { hint: `Rename or drop "${name}", or use another file.` },
      );
    }
    database.exec(BOOKS);
    database.run("INSERT INTO replication_version VALUES (?)", BOOKS_VERSION);
  });
}

function checkVersion(database: LocalDatabase): void {
  const found = database.get<{ version: number }>("SELECT version FROM replication_version")?.version;
  if (found === BOOKS_VERSION) return;
  throw new ReplicaError(
    "LOCAL_DATABASE",
    `The replication tables of ${database.path} have version ${found ?? "none"}, this package writes version ${BOOKS_VERSION}`,
    { hint: "Use the version of starfish-replica that wrote the file, or a newer one." },
  );
}
