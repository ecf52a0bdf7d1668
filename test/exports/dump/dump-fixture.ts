import { closeSync, fsyncSync, openSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { buildOnce } from "../../support/build-once.js";
import { type Child, spawnNode } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";

/** A database of about so many MB, with the tables that `writer-child.ts` writes to: `pair` has its two rows at both ends of the file. */
export function databaseOf(megabytes: number, mode: "wal" | "delete" = "wal", dir: string = tempDir()): string {
  const path = join(dir, "source.db");
  const database = new Database(path);
  database.pragma("synchronous = OFF");
  database.exec(`
    CREATE TABLE pair(id INTEGER PRIMARY KEY, n INTEGER NOT NULL, room BLOB);
    CREATE TABLE filler(id INTEGER PRIMARY KEY, n INTEGER NOT NULL, a TEXT, b BLOB);
    INSERT INTO pair VALUES(1, 0, zeroblob(3000));
    WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ${Math.max(1, Math.round(megabytes * 2_000))})
      INSERT INTO filler SELECT n, 0, 'it''s ' || hex(randomblob(100)), randomblob(250) FROM i;
    INSERT INTO pair VALUES(2, 0, zeroblob(3000));
  `);
  database.pragma(`journal_mode = ${mode}`);
  database.close();
  // Else the writer's first fsync has all of it to bring to the disk.
  const file = openSync(path, "r+");
  fsyncSync(file);
  closeSync(file);
  return path;
}

/** What a writer says of its waits, in milliseconds. */
export interface WriterReport {
  readonly commits: number;
  readonly longestMs: number;
  readonly p99Ms: number;
}

/** A process that writes to the database all the time. */
export async function startWriter(file: string, mode: "wal" | "delete", pauseMs = 0): Promise<Child> {
  const child = spawnNode(await buildOnce("test/exports/dump/writer-child.ts"), [file, mode, String(pauseMs)]);
  await child.waitForLine(/^ready/);
  return child;
}

/** What it has done since the last report. */
export async function reportOf(writer: Child): Promise<WriterReport> {
  writer.writeLine("report");
  const [, report = ""] = await writer.waitForLine(/^report (.*)/);
  return JSON.parse(report);
}
