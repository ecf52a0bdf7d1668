import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import { buildOnce } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { startPostgres, type TestDatabase, type TestPostgres } from "../../support/postgres.js";
import { size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { keepTables } from "./kept-tables.js";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

interface Seen {
  readonly looks: number;
  /** How many different numbers of rows. */
  readonly counts: number;
  readonly mistakes: readonly string[];
}

/** Another process that reads all the time. @returns what ends it and says what it has seen. */
async function startReader(file: string, table: string, batchSize: number): Promise<() => Promise<Seen>> {
  const reader = spawnNode(await buildOnce("test/tables/faults/reader-child.ts"), [file, table, String(batchSize)]);
  await reader.waitForLine(/^looking$/);
  return async () => {
    reader.writeLine("end");
    const [, seen = ""] = await reader.waitForLine(/^seen (.*)$/);
    return JSON.parse(seen) as Seen;
  };
}

async function start(rows: number): Promise<{ source: TestDatabase; file: string }> {
  const source = await postgres.createDatabase();
  await source.query(
    "CREATE TABLE things (id int PRIMARY KEY, body text, generation int NOT NULL, updated_at timestamptz NOT NULL)",
  );
  await fill(source, rows, 1);
  const file = join(tempDir(), "replica.db");
  // So that there is something to open.
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.close();
  return { source, file };
}

/** All rows are of one generation, in one transaction. */
async function fill(source: TestDatabase, rows: number, generation: number): Promise<void> {
  await source.query(
    `BEGIN; DELETE FROM things; INSERT INTO things
     SELECT i, repeat('x', i % 100), ${generation}, now() - i * interval '1 minute' FROM generate_series(1, ${rows}) i; COMMIT`,
  );
}

describe("A reader of the local file, in another process", () => {
  it("never sees half a batch, and always rows and books that agree", async () => {
    const rows = size({ test: 40_000, soak: 400_000 });
    const { source, file } = await start(rows);
    const end = await startReader(file, "things", 500);
    const { caughtUp } = await keepTables({
      database: file,
      source: source.url,
      tasks: [{ sourceTable: "things", batchSize: 500, mode: "append", cursorColumn: "updated_at" }],
    });
    await caughtUp("things", 60_000);
    const { looks, counts, mistakes } = await end();
    expect(mistakes).toEqual([]);
    expect(counts, "it has seen the copy grow").toBeGreaterThan(5);
    expect(looks).toBeGreaterThan(counts);
  });

  it("never sees an empty or missing table, or old rows among new ones, while it is copied in full again and again", async () => {
    const { source, file } = await start(3_000);
    const { tables } = await keepTables({
      database: file,
      source: source.url,
      tasks: [{ sourceTable: "things", batchSize: 200, mode: "full", intervalSeconds: 3_600 }],
    });
    await tables.runTask("things");
    const end = await startReader(file, "things", 0);
    const rounds = size({ test: 12, soak: 200 });
    for (let round = 2; round < rounds + 2; round += 1) {
      await fill(source, 3_000 + round, round);
      await tables.runTask("things");
    }
    const { counts, mistakes } = await end();
    expect(mistakes).toEqual([]);
    expect(counts, "it has seen many of the copies").toBeGreaterThan(rounds / 3);
  });

  it("sees all old rows or all new ones while a table is rebuilt", async () => {
    const { source, file } = await start(3_000);
    const { tables, count } = await keepTables({
      database: file,
      source: source.url,
      tasks: [{ sourceTable: "things", batchSize: 200, intervalSeconds: 3_600 }],
    });
    await tables.runTask("things");
    const end = await startReader(file, "things", 0);
    const rounds = size({ test: 6, soak: 100 });
    for (let round = 2; round < rounds + 2; round += 1) {
      // One statement, so that the table is never seen half made at the source either.
      await source.query(
        `BEGIN; DROP TABLE things; CREATE TABLE things (id int PRIMARY KEY, body text, generation int NOT NULL, updated_at timestamptz NOT NULL);
         INSERT INTO things SELECT i, 'r', ${round}, now() - i * interval '1 minute' FROM generate_series(1, ${3_000 + round}) i; COMMIT`,
      );
      await tables.runTask("things");
      await waitFor(() => count("things") === 3_000 + round);
    }
    const { counts, mistakes } = await end();
    expect(mistakes).toEqual([]);
    expect(counts).toBeGreaterThan(rounds / 3);
  });
});
