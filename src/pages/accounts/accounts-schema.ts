import type Database from "better-sqlite3";
import { ReplicaError } from "../../errors.js";

// One step for each version, from an empty file on; a step that has been released never changes. The comments are kept by SQLite: `.schema` in the
// sqlite3 shell shows them.
const STEPS: readonly string[] = [
  `
CREATE TABLE organisations (
  id TEXT NOT NULL PRIMARY KEY,          -- 32 lowercase hex digits, like all ids here
  created_at INTEGER NOT NULL            -- Unix seconds, like all times here
) STRICT, WITHOUT ROWID;
CREATE TABLE users (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,            -- in its one form: see parseEmail
  org_id TEXT NOT NULL REFERENCES organisations (id),
  role TEXT NOT NULL CHECK (role IN ('admin', 'member')),
  password_hash TEXT,                    -- Argon2id, PHC string; NULL: logs in with a provider
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE identities (                -- who logs in with a provider
  provider TEXT NOT NULL,                -- github or google
  subject TEXT NOT NULL,                 -- the provider's own id of the user
  user_id TEXT NOT NULL REFERENCES users (id),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (provider, subject)
) STRICT, WITHOUT ROWID;
CREATE TABLE databases (
  id TEXT NOT NULL PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES organisations (id),
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (org_id, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE oauth_attempts (            -- logins at a provider that have begun
  state_hash BLOB NOT NULL PRIMARY KEY,  -- SHA-256: who reads this file can take nobody's login over
  provider TEXT NOT NULL,
  code_verifier TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL         -- milliseconds since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_attempts_by_expiry ON oauth_attempts (expires_at_ms);
`,
];

/**
 * Brings the tables of `accounts.db` up to date, from nothing or any earlier version. `PRAGMA user_version` is their version.
 * @throws `PAGE_STORE` where they are of a newer version, or the file is somebody else's
 */
export function createAccountTables(database: Database.Database, path: string): void {
  database
    .transaction(() => {
      const version = database.pragma("user_version", { simple: true }) as number;
      const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
      const isOurs = version === 0 ? tables.length === 0 : tables.includes("organisations");
      if (!isOurs || version < 0) throw notOurs(path);
      if (version > STEPS.length) throw tooNew(path, version);
      for (const step of STEPS.slice(version)) database.exec(step);
      if (version < STEPS.length) database.pragma(`user_version = ${STEPS.length}`);
    })
    .immediate();
}

function notOurs(path: string): ReplicaError {
  return new ReplicaError("PAGE_STORE", `${path} is a database that this package has not made`, {
    hint: "Give another `dir`: a folder that the page server has for itself.",
  });
}

function tooNew(path: string, version: number): ReplicaError {
  return new ReplicaError(
    "PAGE_STORE",
    `The accounts in ${path} have version ${version}, this package knows versions up to ${STEPS.length}`,
    { hint: "Use the version of starfish-replica that wrote the file, or a newer one." },
  );
}
