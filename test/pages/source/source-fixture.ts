import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { atEnd } from "../../support/at-end.js";
import { buildOnce } from "../../support/build-once.js";
import { type Child, spawnNode } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";

/** What a database is made with. */
export interface DatabaseKind {
  /** Default `wal`. */
  readonly mode?: string;
  /** Default 4096. */
  readonly pageSize?: number;
  readonly autoVacuum?: "none" | "full" | "incremental";
  /** About so large. Default 0.2. */
  readonly megabytes?: number;
  readonly folder?: string;
}

/** Another process that reads databases: this one has them open. */
export interface Reader {
  readonly child: Child;
  readonly workDir: string;
  /** @returns what it answered @throws what it failed with, as a plain object */
  ask(command: "open" | "write" | "hash" | "close", file?: string, patienceSeconds?: number): Promise<unknown>;
}

export async function startReader(user = ""): Promise<Reader> {
  const workDir = tempDir();
  const child = spawnNode(await buildOnce("test/pages/source/source-child.ts"), [workDir, user]);
  await child.waitForLine(/^ready$/);
  return {
    child,
    workDir,
    async ask(command, file = "", patienceSeconds) {
      child.writeLine([command, file, patienceSeconds ?? ""].join("\t"));
      const [, how, what = "null"] = await child.waitForLine(/^(done|failed) (.*)/, 60_000);
      if (how === "failed") throw JSON.parse(what);
      return JSON.parse(what);
    },
  };
}

/** A database that others write to, closed when the test ends; see `transact`. */
export function openDatabase(kind: DatabaseKind = {}): { path: string; database: Database.Database } {
  const { mode = "wal", pageSize = 4096, autoVacuum = "none", megabytes = 0.2, folder = tempDir() } = kind;
  const path = join(folder, "source.db");
  const database = new Database(path, { timeout: 5_000 });
  atEnd(() => database.close());
  database.pragma(`page_size = ${pageSize}`);
  database.pragma(`auto_vacuum = ${autoVacuum}`);
  database.pragma(`journal_mode = ${mode}`);
  database.pragma("wal_autocheckpoint = 0");
  database.pragma("synchronous = OFF");
  database.exec(`
    BEGIN;
    CREATE TABLE account (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);
    CREATE TABLE total (n INTEGER NOT NULL, commits INTEGER NOT NULL);
    CREATE TABLE log (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
    INSERT INTO total VALUES (0, 1);
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100) INSERT INTO account SELECT i, 0 FROM c;
  `);
  const fill = database.prepare("INSERT INTO log (body) VALUES (randomblob(1000))");
  for (let rows = megabytes * 1_000; rows > 0; rows -= 1) fill.run();
  database.exec("UPDATE total SET n = (SELECT count(*) FROM log); COMMIT");
  return { path, database };
}

/** The number of transactions that a file has seen. @throws where it is not whole */
export function wholeTotal(path: string): number {
  const database = new Database(path, { readonly: true });
  try {
    const check = database.pragma("integrity_check", { simple: true });
    const read = (sql: string): unknown => database.prepare(sql).pluck().get();
    const facts = { check, sum: read("SELECT sum(n) FROM account"), rows: read("SELECT count(*) FROM log") };
    const total = read("SELECT n FROM total");
    if (check !== "ok" || facts.sum !== 0 || facts.rows !== total) throw new Error(`Torn: ${JSON.stringify(facts)}`);
    return read("SELECT commits FROM total") as number;
  } finally {
    database.close();
  }
}

/** The bytes that a database has when all of its log is copied into its file, without anybody's noticing. Nobody may be writing to it. */
export function checkpointedBytes(path: string): Buffer {
  const copy = join(tempDir(), "copy.db");
  // Not by this process, which would let go of its locks with it.
  execFileSync("cp", [path, copy]);
  if (existsSync(`${path}-wal`)) execFileSync("cp", [`${path}-wal`, `${copy}-wal`]);
  const database = new Database(copy);
  database.pragma("wal_checkpoint(TRUNCATE)");
  database.close();
  return readFileSync(copy);
}

/** Starts a program that keeps the database busy until the test ends; see writer-child.ts. */
export async function startBusy(path: string, role: "write" | "checkpoint", pauseMs = 0): Promise<Child> {
  const child = spawnNode(await buildOnce("test/pages/source/writer-child.ts"), [path, role, String(pauseMs)]);
  await child.waitForLine(/^ready$/);
  return child;
}
