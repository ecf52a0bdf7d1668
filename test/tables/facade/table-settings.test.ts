import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../src/errors.js";
import { createTableReplication } from "../../../src/tables/index.js";
import { parseTableSettings } from "../../../src/tables/table-settings.js";

const PG = "postgres://user:hunter2@db.example.com/shop";

/** The mistakes that these options have, beside a good database and source. */
function mistakes(options: object): readonly string[] {
  try {
    createTableReplication({ database: "replica.db", sources: { main: PG }, ...options } as never);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.mistakes;
    throw error;
  }
  return [];
}

describe("the options of createTableReplication", () => {
  it("fills in defaults and the short forms", () => {
    const settings = parseTableSettings({ database: "replica.db", source: PG, tables: ["users", "sales.orders"] });
    expect(settings).toMatchObject({
      sources: { main: PG },
      tasks: [{ sourceTable: "users" }, { sourceTable: "sales.orders" }],
      syncIntervalSeconds: 300,
      lagSeconds: 5,
      concurrency: 4,
      runTimeoutMs: 600_000,
      queryTimeoutMs: 30_000,
    });
  });

  it("names every mistake at once", () => {
    expect(() => createTableReplication({} as never)).toThrow(ConfigurationError);
    expect(
      mistakes({
        database: "",
        sorces: {},
        syncIntervalSeconds: 0,
        lagSeconds: -1,
        concurrency: 1.5,
        runTimeoutMs: Number.NaN,
        queryTimeoutMs: "1",
        batchSize: 100_001,
        numeric: "float",
        beforeQuery: "no",
        onProgress: {},
        backOff: { baseMs: 0, cap: 1 },
      }),
    ).toEqual([
      'unknown option "sorces": did you mean "sources"?',
      'database must be the path of the local SQLite file, for instance "./data/replica.db"',
      "syncIntervalSeconds must be a whole number of seconds from 1 to 2147483, got 0",
      "batchSize must be a whole number of rows from 1 to 100000, got 100001",
      "lagSeconds must be a whole number of seconds from 0 to 86400, got -1",
      "concurrency must be a whole number of runs from 1 to 100, got 1.5",
      "runTimeoutMs must be a whole number of milliseconds from 1 to 2147483647, got NaN",
      'queryTimeoutMs must be a whole number of milliseconds from 1 to 2147483647, got "1"',
      'numeric must be "real" or "text", got "float"',
      'beforeQuery must be a function, got "no"',
      "onProgress must be a function, got an object",
      "backOff.baseMs must be a number of milliseconds from 1, got 0",
      'unknown option "backOff.cap": did you mean "capMs"?',
    ]);
  });

  it.each([null, undefined, 5, "x", []])("refuses %j in place of options", (options) => {
    expect(() => createTableReplication(options as never)).toThrow(/must be an object/);
  });

  it("says which databases it can copy from, and never shows a URL", () => {
    expect(mistakes({ sources: {} })[0]).toMatch(/^sources must name at least one database/);
    const bad = {
      mysql: "mysql://root:hunter2@h/db",
      plain: "hunter2",
      number: 5,
      garbled: "postgres://u:hunter%2@h/db",
      port: "postgres://u:hunter2@h:99999999/db",
      memory: "sqlite::memory:",
      empty: "sqlite:",
      self: "sqlite:./replica.db",
      upper: "POSTGRES://u:hunter2@h/db",
    };
    const found = mistakes({ sources: bad });
    expect(found.map((mistake) => mistake.split(" ")[0])).toEqual(Object.keys(bad).map((name) => `sources.${name}`));
    expect(found.join()).not.toContain("hunter2");
    expect(found[0]).toBe(
      'sources.mysql mysql:// is not supported yet: supported are "postgres://user:password@host/database", "postgresql://..." and "sqlite:PATH"',
    );
    expect(mistakes({ source: PG })).toEqual(["source and sources exclude each other: put all into sources"]);
    expect(
      mistakes({ sources: { a: "sqlite:./shop.db", b: "postgresql:///db", c: "postgres://me@/db?host=/tmp" } }),
    ).toEqual([]);
  });

  it("names where in a task a mistake is", () => {
    const task = {
      sourceTabel: "users",
      source: "mian",
      sourceTable: "",
      targetTable: "sqlite_x",
      columns: ["id", 5, "id"],
      cursorColumn: "",
      mode: "stream",
      intervalSeconds: 0.5,
      batchSize: 0,
      deletes: true,
      numeric: 1,
    };
    expect(mistakes({ tasks: [{ sourceTable: "good" }, task, null] })).toEqual([
      'tasks[1].sourceTabel is unknown: did you mean "sourceTable"?',
      'tasks[1].sourceTable must be a name of 1 to 512 characters without control characters, for instance "users" or "sales.orders", got ""',
      'tasks[1].source "mian" is unknown: did you mean "main"?',
      expect.stringMatching(/^tasks\[1\]\.targetTable begins with "sqlite_"/),
      "tasks[1].columns[1] must be a name of 1 to 512 characters without control characters, got 5",
      'tasks[1].columns[2] "id" is listed twice',
      'tasks[1].cursorColumn must be a name of 1 to 512 characters without control characters, got ""',
      'tasks[1].mode must be "append", "upsert", "full", got "stream"',
      'tasks[1].deletes must be "reconcile", got true',
      'tasks[1].numeric must be "real", "text", got 1',
      "tasks[1].intervalSeconds must be a whole number of seconds from 1 to 2147483, got 0.5",
      "tasks[1].batchSize must be a whole number of rows from 1 to 100000, got 0",
      'tasks[2]: a task must be an object, such as { sourceTable: "users" }',
    ]);
    expect(mistakes({ tasks: [{ sourceTable: "a", mode: "full", cursorColumn: "id" }] })[0]).toMatch(
      /^tasks\[0\]\.cursorColumn has no use with mode "full"/,
    );
    expect(mistakes({ tables: "users", tasks: {} })).toHaveLength(2);
    expect(mistakes({ tables: [{ sourceTable: "users" }] })[0]).toMatch(/^tables\[0\] must be the name of a table/);
  });

  it("does not show a URL that was given as the name of a source", () => {
    expect(mistakes({ tasks: [{ sourceTable: "a", source: PG }] }).join()).not.toContain("hunter2");
  });

  it("wants a source to be named where there are several", () => {
    const sources = { a: PG, b: "sqlite:b.db" };
    expect(mistakes({ sources, tasks: [{ sourceTable: "t" }] })).toEqual([
      'tasks[0].source must name one of the sources: "a", "b"',
    ]);
    expect(mistakes({ sources, tables: ["t"] })).toEqual([
      'tables[0]: as a task with `source`, which must name one of the sources: "a", "b"',
    ]);
    expect(mistakes({ sources, tasks: [{ sourceTable: "t", source: "b" }] })).toEqual([]);
  });

  it("refuses two tasks with one local table, whatever its case", () => {
    const tasks = [{ sourceTable: "sales.Users" }, { sourceTable: "people", targetTable: "USERS" }];
    expect(mistakes({ tables: ["users"], tasks })).toEqual([
      'tasks[0] fills the local table "Users", as tables[0] does: give one another targetTable',
      'tasks[1] fills the local table "USERS", as tables[0] does: give one another targetTable',
    ]);
  });
});
