import type Database from "better-sqlite3";
import { ReplicaError } from "../../errors.js";

/** Goes up with every change to the tables. */
const BOOKS_VERSION = 1;

// The comments are kept by SQLite: `.schema` in the sqlite3 shell shows them.
const BOOKS = `
CREATE TABLE export_jobs (
  number INTEGER NOT NULL PRIMARY KEY,   -- the order they were taken in
  id TEXT NOT NULL UNIQUE,               -- a UUID
  state TEXT NOT NULL,                   -- queued, running, completed or failed
  removed INTEGER NOT NULL DEFAULT 0,    -- 1: cancelled or swept, and shown to nobody; what it left is being removed
  database TEXT NOT NULL,                -- path of the SQLite file that it exports
  format TEXT NOT NULL,                  -- sql, csv, json or ndjson
  tables TEXT,                           -- JSON array of names, as asked; NULL: all
  except_tables TEXT NOT NULL,           -- JSON array of names: left out where none were named
  created_at TEXT NOT NULL,              -- ISO 8601, UTC, like all times here that end in _at
  finished_at TEXT,
  snapshot_bytes INTEGER,                -- size of work/<id>/snapshot.db; NULL: there is none yet
  fingerprint TEXT,                      -- of the dump that the parts are of
  ticket TEXT,                           -- the store's: where the parts go; NULL: no part was begun, or all was removed
  location TEXT,                         -- the store's: where the finished file is
  artifact_sha256 TEXT,                  -- lowercase hex, of the finished file
  tables_total INTEGER,                  -- NULL: not known yet
  tables_done INTEGER NOT NULL DEFAULT 0,
  rows_done INTEGER NOT NULL DEFAULT 0,
  bytes_written INTEGER NOT NULL DEFAULT 0,
  error_code TEXT,
  error_message TEXT,
  callback_url TEXT,
  callback_state TEXT,                   -- waiting, pending, delivered or given_up; NULL: none was asked for
  callback_attempts INTEGER NOT NULL DEFAULT 0,
  callback_message_id TEXT,              -- webhook-id, the same for every try
  callback_body TEXT,                    -- what is sent, fixed when the job ends
  callback_since_ms INTEGER,             -- when the job ended, since 1970
  callback_next_ms INTEGER,              -- when it is tried next
  callback_reason TEXT                   -- why the last try failed
);
CREATE INDEX export_jobs_by_state ON export_jobs (state, number);
CREATE INDEX export_jobs_by_callback ON export_jobs (callback_next_ms) WHERE callback_state = 'pending';
CREATE TABLE export_job_tables (         -- how far each table of a job is
  job_id TEXT NOT NULL REFERENCES export_jobs (id) ON DELETE CASCADE,
  place INTEGER NOT NULL,                -- from 0, in the order of the dump
  name TEXT NOT NULL,
  rows_done INTEGER NOT NULL DEFAULT 0,
  done INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (job_id, place)
) WITHOUT ROWID;
CREATE TABLE export_job_chunks (         -- the parts that a job goes on after
  job_id TEXT NOT NULL REFERENCES export_jobs (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,               -- from 1, without a gap
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,                  -- lowercase hex
  receipt TEXT,                          -- what the store wants to know of it again
  rows INTEGER NOT NULL,                 -- in this part
  tables_done INTEGER NOT NULL,          -- after this part, from the beginning
  next TEXT,                             -- JSON: where the dump goes on; NULL: this was the last part
  hash_state BLOB,                       -- of the whole up to here, where the store cannot read it again; of the last part alone
  PRIMARY KEY (job_id, number)
) WITHOUT ROWID;
`;

/**
 * Makes the books where the file has none: `export_jobs`, `export_job_tables` and `export_job_chunks`. `PRAGMA user_version` is their version.
 * @throws `LOCAL_DATABASE` where they are of another version, or the file is somebody else's.
 */
export function createBooks(database: Database.Database, path: string): void {
  database
    .transaction(() => {
      const version = database.pragma("user_version", { simple: true }) as number;
      const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
      if (version === BOOKS_VERSION && tables.includes("export_jobs")) return;
      if (tables.length > 0) throw notOurs(path, version, tables.includes("export_jobs"));
      database.exec(BOOKS);
      database.pragma(`user_version = ${BOOKS_VERSION}`);
    })
    .immediate();
}

function notOurs(path: string, version: number, isOurs: boolean): ReplicaError {
  const what = isOurs
    ? `The books of exports in ${path} have version ${version}, this package writes version ${BOOKS_VERSION}`
    : `${path} is a database that this package has not made`;
  return new ReplicaError("LOCAL_DATABASE", what, {
    hint: isOurs
      ? "Use the version of starfish-replica that wrote the file, or a newer one, or give another `dir`."
      : "Give another `dir`: a folder that exports have for themselves.",
  });
}
