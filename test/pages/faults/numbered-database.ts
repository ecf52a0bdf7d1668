import { createHash } from "node:crypto";
import Database from "better-sqlite3";
import type { SeededRandom } from "./seeded-random.js";

const ITEMS = 200;

interface NumberedOptions {
  /** Of about a kilobyte, beside the numbered ones. Default 500. */
  readonly rows?: number;
  /** Of the journal. Default `delete`. */
  readonly mode?: string;
  /** Default 4096. */
  readonly pageSize?: number;
}

/** A database of numbered versions, of which this is number 0, closed. */
export function createNumbered(path: string, options: NumberedOptions = {}): string {
  const { rows = 500, mode = "delete", pageSize = 4096 } = options;
  const database = new Database(path);
  database.pragma(`page_size = ${pageSize}`);
  database.pragma(`journal_mode = ${mode}`);
  database.exec(`
    BEGIN;
    CREATE TABLE item (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE ballast (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
    CREATE TABLE sum (digest TEXT NOT NULL);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ITEMS})
      INSERT INTO item SELECT i, 0, randomblob(480) FROM n;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
      INSERT INTO ballast SELECT i, randomblob(1000) FROM n;
  `);
  database.prepare("INSERT INTO sum VALUES (?)").run(digest(database));
  database.exec("COMMIT");
  database.close();
  return path;
}

/** Makes the database its next version in one transaction: the number in every row, some rows more, fewer or changed, and the digest of it all. */
export function writeNext(path: string, random: SeededRandom): number {
  const database = new Database(path, { timeout: 10_000 });
  try {
    database.exec("BEGIN IMMEDIATE");
    const version = (database.prepare("SELECT max(version) FROM item").pluck().get() as number) + 1;
    database.prepare("UPDATE item SET version = ?").run(version);
    const share = random();
    database
      .prepare("UPDATE ballast SET body = randomblob(1000) WHERE abs(random()) % 1000 < ?")
      .run(share < 0.2 ? 1_000 : share * 50);
    const kind = random();
    if (kind < 0.2) database.exec("DELETE FROM ballast WHERE abs(random()) % 5 = 0");
    else if (kind < 0.5) database.exec("INSERT INTO ballast (body) SELECT randomblob(900) FROM item LIMIT 120");
    database.prepare("UPDATE sum SET digest = ?").run(digest(database));
    database.exec("COMMIT");
    return version;
  } finally {
    database.close();
  }
}

/** The number of the version that a file has. @throws where it is not one whole version */
export function versionIn(path: string): number {
  const database = new Database(path, { fileMustExist: true, timeout: 20_000 });
  try {
    return wholeVersion(database, true);
  } finally {
    database.close();
  }
}

/** As `versionIn`, in one transaction of an open connection. */
export function wholeVersion(database: Database.Database, check = false): number {
  database.exec("BEGIN");
  try {
    const said = check ? database.pragma("integrity_check", { simple: true }) : "ok";
    if (said !== "ok") throw new Error(`Damaged: ${said}`);
    const range = database.prepare("SELECT min(version), max(version), count(*) FROM item").raw().get() as number[];
    const [low = -1, high, count] = range;
    if (low !== high || count !== ITEMS) throw new Error(`A mix: ${range}`);
    if (database.prepare("SELECT digest FROM sum").pluck().get() !== digest(database)) {
      throw new Error(`Version ${low} with rows of another`);
    }
    return low;
  } finally {
    if (database.inTransaction) database.exec("ROLLBACK");
  }
}

function digest(database: Database.Database): string {
  const hash = createHash("sha1");
  for (const table of ["item", "ballast"]) {
    for (const row of database.prepare(`SELECT * FROM ${table} ORDER BY id`).raw().iterate() as Iterable<unknown[]>) {
      for (const value of row) hash.update(Buffer.isBuffer(value) ? value : `${value};`);
    }
  }
  return hash.digest("hex");
}
