import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { DumpFormatName, DumpSelection } from "../../../src/exports/formats/dump-selection.js";
import { buildOnce } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { inCi, size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";

const MIB = 1024 * 1024;

/** A file with one table `t`, as large as said. */
function tableOf(build: string): string {
  const path = join(tempDir(), "large.db");
  const database = new Database(path);
  database.pragma("journal_mode = OFF");
  database.pragma("synchronous = OFF");
  database.exec(build);
  database.close();
  return path;
}

async function dumpOf(
  file: string,
  format: DumpFormatName,
  selection: DumpSelection = { table: "t" },
): Promise<{ bytes: number; memory: number }> {
  const entry = await buildOnce("test/exports/formats/dump-child.ts");
  const child = spawnNode(entry, [file, format, JSON.stringify(selection)], { nodeArgs: ["--max-old-space-size=48"] });
  const [, result = ""] = await child.waitForLine(/^done (.*)/, 300_000);
  await child.exited;
  return JSON.parse(result);
}

function rowsOf(mebibytes: number, bytesPerRow: number): string {
  return `
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${Math.round((mebibytes * MIB) / bytesPerRow)})
      INSERT INTO t SELECT i, 'it''s text ' || hex(randomblob(${Math.round(bytesPerRow / 4)})), randomblob(${Math.round(bytesPerRow / 2)}), i / 7.0 FROM n`;
}

const COLUMNS = "t(id INTEGER PRIMARY KEY, a TEXT, b BLOB, c REAL)";

describe("the memory of a dump", () => {
  const large = size({ test: 40, ci: 300, soak: 2_000 });

  it(`is the same for 10 MB and ${large} MB`, async () => {
    const small = tableOf(`CREATE TABLE ${COLUMNS}; ${rowsOf(10, 200)}`);
    const big = tableOf(`CREATE TABLE ${COLUMNS}; ${rowsOf(large, 200)}`);
    for (const format of ["sql", "csv", "json"] as const) {
      const before = await dumpOf(small, format);
      const after = await dumpOf(big, format);
      expect(after.bytes).toBeGreaterThan((before.bytes * large) / 12);
      expect(after.memory).toBeLessThan(before.memory + 64 * MIB);
      expect(after.memory).toBeLessThan(224 * MIB);
    }
  }, 600_000);

  it.runIf(inCi)(
    "is bounded for a table without rowid, one whose rows have no name, and rows of every width",
    async () => {
      const megabytes = size({ test: 10, ci: 30 });
      const keyed = tableOf(
        `CREATE TABLE ${COLUMNS.replace(" PRIMARY KEY", "").replace(")", ", PRIMARY KEY(a, id)) WITHOUT ROWID")}; ${rowsOf(megabytes, 200)}`,
      );
      const widths = [3_000, 20_000, 200_000, 3_000_000];
      const wide = tableOf(
        `CREATE TABLE ${COLUMNS}; ${widths.map((width) => rowsOf(megabytes, width).replace("SELECT i,", "SELECT NULL,")).join(";")}`,
      );
      const unnamed = tableOf(
        `CREATE TABLE t(rowid INTEGER, _rowid_ TEXT, oid BLOB, c REAL); ${rowsOf(megabytes, 200)}`,
      );
      for (const file of [keyed, wide, unnamed]) {
        for (const format of ["sql", "ndjson"] as const)
          expect((await dumpOf(file, format)).memory).toBeLessThan(256 * MIB);
      }
    },
    300_000,
  );

  const value = size({ test: 15, ci: 100 });

  it.runIf(inCi)(
    `is about twice the largest value: a BLOB and a text of ${value} MB`,
    async () => {
      const file = tableOf(`
      CREATE TABLE ${COLUMNS};
      INSERT INTO t(b) VALUES(randomblob(${value}000000));
      INSERT INTO t(a) VALUES(replace(hex(zeroblob(${value / 5}000000)), '00', 'it''s "'));
      ${rowsOf(1, 200).replace("SELECT i,", "SELECT NULL,")};
    `);
      for (const format of ["sql", "csv", "json"] as const) {
        const { bytes, memory } = await dumpOf(file, format);
        expect(bytes).toBeGreaterThan(value * 2_300_000);
        expect(memory).toBeLessThan((180 + 2.4 * value) * MIB);
      }
    },
    300_000,
  );
});
