import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { buildOnce } from "../../support/build-once.js";
import { type Child, spawnNode } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";

export interface VersionKind {
  readonly pageSize?: number;
  readonly wal?: boolean;
  readonly autoVacuum?: "none" | "full" | "incremental";
  /** Of about 500 bytes. Default 200. */
  readonly rows?: number;
}

/** A database whose rows all say `version`: one that is read as a mix of two shows it. */
export function makeVersion(path: string, version: number, kind: VersionKind = {}): string {
  const { pageSize = 4096, wal = false, autoVacuum = "none", rows = 200 } = kind;
  const database = new Database(path);
  database.pragma(`page_size = ${pageSize}`);
  database.pragma(`auto_vacuum = ${autoVacuum}`);
  database.pragma(`journal_mode = ${wal ? "WAL" : "DELETE"}`);
  database.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL)");
  database
    .prepare(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO item SELECT i, ?, randomblob(480) FROM n",
    )
    .run(rows, version);
  database.close();
  return path;
}

/** The same version elsewhere, changed by somebody: `version` in all rows, in place. */
export function laterVersion(from: string, to: string, version: number): string {
  const fd = openSync(to, "w");
  writeSync(fd, readFileSync(from));
  closeSync(fd);
  const database = new Database(to);
  database.prepare("UPDATE item SET version = ?").run(version);
  database.close();
  return to;
}

/** @returns the version that all rows have; throws where they differ, or SQLite finds the file damaged */
export function versionOf(path: string): number {
  const database = new Database(path, { fileMustExist: true });
  try {
    const lines = database.pragma("integrity_check", { simple: true });
    if (lines !== "ok") throw new Error(`Damaged: ${lines}`);
    const [row] = database.prepare("SELECT min(version) AS low, max(version) AS high FROM item").all() as {
      low: number;
      high: number;
    }[];
    if (row === undefined || row.low !== row.high) throw new Error(`A mix: ${JSON.stringify(row)}`);
    return row.low;
  } finally {
    database.close();
  }
}

export function place(...names: readonly string[]): readonly string[] {
  const folder = tempDir();
  return names.map((name) => join(folder, name));
}

export async function startTargetChild(...args: readonly (string | number)[]): Promise<Child> {
  return spawnNode(await buildOnce("test/pages/target/target-child.ts"), args.map(String));
}
