import { beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres.js";
import { type CopiedDatabase, startOver, USERS } from "./copied-database.js";
import { startEngine } from "./engine-fixture.js";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres({ settings: { max_prepared_transactions: 5 } });
}, 60_000);

const start = (sql: string): Promise<CopiedDatabase> => startOver(postgres, sql);

describe("A copied table", () => {
  it("has the source's rows, and follows inserts and updates", async () => {
    const { add, run, rows, source } = await start(`${USERS}; INSERT INTO users (name) VALUES ('Ada'), ('Grace')`);
    const task = await add({ sourceTable: "users" });
    expect(task).toMatchObject({ mode: "upsert", cursorColumn: "updated_at", targetTable: "users", source: "main" });
    expect(task.lastRun?.notes).toEqual([expect.stringContaining("make one on (updated_at, id)")]);
    expect(rows("SELECT id, name FROM users")).toEqual([
      { id: 1, name: "Ada" },
      { id: 2, name: "Grace" },
    ]);
    await source.query("INSERT INTO users (name) VALUES ('Edsger')");
    await source.query("UPDATE users SET name = 'Ada L.', updated_at = clock_timestamp() WHERE id = 1");
    const second = await run(task);
    expect(second).toMatchObject({ rowsPulled: 2, rowsDeleted: 0, error: null, finishedAt: expect.any(String) });
    expect(rows("SELECT id, name FROM users ORDER BY id").map((row) => row.name)).toEqual([
      "Ada L.",
      "Grace",
      "Edsger",
    ]);
    expect((await run(task)).rowsPulled).toBe(0);
  });

  it("goes on after a restart from where it was", async () => {
    const { add, engine, file, source } = await start(
      `${USERS}; INSERT INTO users (name) SELECT 'n' || i FROM generate_series(1, 1000) i`,
    );
    await add({ sourceTable: "users" });
    await engine.close();
    await source.query("INSERT INTO users (name) VALUES ('late')");
    const again = await startEngine(source.url, { database: file });
    const [task] = await again.engine.open();
    if (!task) throw new Error("The task is gone");
    expect((await again.run(task)).rowsPulled).toBe(1);
    expect(again.rows("SELECT count(*) AS n FROM users")).toEqual([{ n: 1001 }]);
  });

  it("keeps only the columns that were asked for", async () => {
    const { add, rows } = await start(
      `${USERS}; ALTER TABLE users ADD secret text; INSERT INTO users (name, secret) VALUES ('Ada', 'x')`,
    );
    await add({ sourceTable: "users", columns: ["id", "name", "updated_at"] });
    expect(Object.keys(rows("SELECT * FROM users")[0] ?? {})).toEqual(["id", "name", "updated_at"]);
  });

  it("may have any name, and composite keys", async () => {
    const name = `Or"der 'x' select`;
    const quoted = `"Or""der 'x' select"`;
    const { add, rows, source, run } = await start(
      `CREATE SCHEMA "My Schema"; CREATE TABLE "My Schema".${quoted} ("group" text, "Sélect ""q""" int, "from" int NOT NULL, PRIMARY KEY ("group", "Sélect ""q"""));
       INSERT INTO "My Schema".${quoted} VALUES ('b', 1, 1), ('B', 1, 2), ('a', 2, 3)`,
    );
    const task = await add({
      sourceTable: `My Schema.${name}`,
      cursorColumn: "from",
      deletes: "reconcile",
      targetTable: `t "1"`,
    });
    expect(rows(`SELECT * FROM "t ""1"""`)).toHaveLength(3);
    await source.query(`DELETE FROM "My Schema".${quoted} WHERE "group" = 'B'`);
    expect((await run(task, "requested")).rowsDeleted).toBe(1);
    expect(rows(`SELECT "group" AS g FROM "t ""1""" ORDER BY 1`)).toEqual([{ g: "a" }, { g: "b" }]);
  });
});

describe("Decimals", () => {
  const SUMS = `CREATE TABLE sums (id serial PRIMARY KEY, amount numeric(30, 10));
    INSERT INTO sums (amount) VALUES (1.5), (12345678901234567890.0123456789), (0.1), (NULL)`;

  it("kept as REAL are counted where they lose digits", async () => {
    const { add, rows } = await start(SUMS);
    const task = await add({ sourceTable: "sums" });
    expect(task.lastRun).toMatchObject({ lossyValues: 1, rowsPulled: 4 });
    expect(rows("SELECT amount FROM sums ORDER BY id")).toEqual([
      { amount: 1.5 },
      { amount: 12345678901234567000 },
      { amount: 0.1 },
      { amount: null },
    ]);
  });

  it("kept as text keep every digit", async () => {
    const { add, rows, verify } = await start(SUMS);
    const task = await add({ sourceTable: "sums", numeric: "text" });
    expect(task.lastRun).toMatchObject({ lossyValues: 0 });
    expect(rows("SELECT amount FROM sums WHERE id = 2")).toEqual([{ amount: "12345678901234567890.0123456789" }]);
    expect(await verify(task)).toMatchObject({ equal: true });
  });
});

describe("A cursor", () => {
  it("loses none of 10 000 rows with one timestamp in batches of 500", async () => {
    const { add, rows, run, source } = await start(
      `${USERS}; INSERT INTO users (name, updated_at) SELECT 'n' || i, '2024-01-01' FROM generate_series(1, 10000) i`,
    );
    const task = await add({ sourceTable: "users", batchSize: 500 });
    expect(rows("SELECT count(*) AS n FROM users")).toEqual([{ n: 10_000 }]);
    await source.query(
      "INSERT INTO users (id, name, updated_at) VALUES (99999, 'same time, higher key', '2024-01-01')",
    );
    await run(task);
    expect(rows("SELECT count(*) AS n FROM users")).toEqual([{ n: 10_001 }]);
  });

  it("does not lose a transaction that took its id early and commits late", async () => {
    const { add, rows, run, source } = await start(
      "CREATE TABLE events (id bigserial PRIMARY KEY, body text); INSERT INTO events (body) VALUES ('first')",
    );
    const early = await source.connect();
    await early.query("BEGIN; INSERT INTO events (body) VALUES ('early')");
    await source.query("INSERT INTO events (body) VALUES ('late')");
    const task = await add({ sourceTable: "events" });
    expect(task).toMatchObject({ mode: "append", cursorColumn: "id" });
    expect(rows("SELECT body FROM events ORDER BY id").map(({ body }) => body)).toEqual(["first", "late"]);
    await run(task);
    await early.query("COMMIT");
    expect((await run(task)).rowsPulled).toBeGreaterThan(0);
    expect(rows("SELECT body FROM events ORDER BY id").map(({ body }) => body)).toEqual(["first", "early", "late"]);
    expect((await run(task)).rowsPulled).toBe(0);
  });

  it("reads no row twice for a transaction that was open when the copy began", async () => {
    const { add, rows, run, source } = await start(
      "CREATE TABLE events (id bigserial PRIMARY KEY, at timestamptz NOT NULL); INSERT INTO events (at) SELECT timestamptz '2024-01-01' + i * interval '1 s' FROM generate_series(1, 5000) i",
    );
    const early = await source.connect();
    await early.query("BEGIN; INSERT INTO events (at) VALUES ('2023-01-01'); DELETE FROM events WHERE id = 7");
    const task = await add({ sourceTable: "events", cursorColumn: "at" });
    expect(task.lastRun?.rowsPulled).toBe(5_000);
    await early.query("COMMIT");
    expect(await run(task)).toMatchObject({ rowsPulled: 1, rowsDeleted: 0 });
    expect(rows("SELECT count(*) AS n, count(*) FILTER (WHERE at < '2024') AS early FROM events")).toEqual([
      { n: 5_001, early: 1 },
    ]);
    expect((await run(task)).rowsPulled).toBe(0);
  });

  it("does not lose a row whose time is that of its transaction's begin, before it wrote anything", async () => {
    const { add, rows, run, source } = await start(
      "CREATE TABLE notes (id bigserial PRIMARY KEY, body text, updated_at timestamptz NOT NULL DEFAULT now()); INSERT INTO notes (body) VALUES ('first')",
    );
    const slow = await source.connect();
    await slow.query("BEGIN; SELECT now()");
    const task = await add({ sourceTable: "notes" });
    await source.query("INSERT INTO notes (body) VALUES ('later')");
    await run(task);
    await slow.query("INSERT INTO notes (body) VALUES ('slow')");
    await run(task);
    await slow.query("COMMIT");
    await run(task);
    expect(rows("SELECT body FROM notes ORDER BY id").map(({ body }) => body)).toEqual(["first", "later", "slow"]);
  });

  it("does not lose the rows of a prepared transaction", async () => {
    const { add, rows, run, source } = await start("CREATE TABLE events (id bigserial PRIMARY KEY, body text)");
    const early = await source.connect();
    await early.query("BEGIN; INSERT INTO events (body) VALUES ('prepared')");
    await source.query("INSERT INTO events (body) VALUES ('later')");
    const task = await add({ sourceTable: "events" });
    await early.query("PREPARE TRANSACTION 'p'");
    await run(task);
    await early.query("COMMIT PREPARED 'p'");
    await run(task);
    expect(rows("SELECT body FROM events ORDER BY id").map(({ body }) => body)).toEqual(["prepared", "later"]);
  });

  it("misses what a clock that steps back writes; reconcile finds it", async () => {
    const { add, rows, run, source } = await start(
      `${USERS}; INSERT INTO users (name, updated_at) VALUES ('Ada', '2024-06-01'), ('Grace', '2024-06-02')`,
    );
    const task = await add({ sourceTable: "users", deletes: "reconcile" });
    await source.query("UPDATE users SET name = 'Ada L.', updated_at = '2024-05-01' WHERE id = 1");
    const upsertOnly = await startEngine(source.url);
    await upsertOnly.add({ sourceTable: "users" });
    await source.query("UPDATE users SET name = 'Ada Lovelace' WHERE id = 1");
    expect((await upsertOnly.run((await upsertOnly.engine.open())[0] ?? task)).rowsPulled).toBe(0);
    expect(upsertOnly.rows("SELECT name FROM users WHERE id = 1")).toEqual([{ name: "Ada L." }]);
    await run(task, "requested");
    expect(rows("SELECT name FROM users WHERE id = 1")).toEqual([{ name: "Ada Lovelace" }]);
  });

  it("counts rows without a cursor, copies them at the start and follows them by reconcile", async () => {
    const { add, rows, run, source } = await start(
      "CREATE TABLE t (id int PRIMARY KEY, updated_at timestamptz); INSERT INTO t SELECT i, CASE WHEN i > 3 THEN timestamptz '2024-01-01' END FROM generate_series(1, 10) i",
    );
    const task = await add({ sourceTable: "t", deletes: "reconcile", batchSize: 2 });
    expect(task.lastRun).toMatchObject({
      nullCursorRows: 3,
      rowsPulled: 10,
      notes: [expect.stringContaining("index")],
    });
    await source.query("INSERT INTO t VALUES (11, NULL)");
    expect(await run(task, "requested")).toMatchObject({ nullCursorRows: 4, rowsPulled: 1 });
    expect(rows("SELECT count(*) AS n FROM t")).toEqual([{ n: 11 }]);
  });
});

describe("A table without a primary key", () => {
  it("is copied by append, each row once, equal ones too", async () => {
    const { add, rows, run, source } = await start(
      "CREATE TABLE log (at timestamptz NOT NULL, line text); INSERT INTO log SELECT timestamptz '2024-01-01' + (i / 700) * interval '1 s', 'same' FROM generate_series(0, 2099) i",
    );
    const task = await add({ sourceTable: "log", mode: "append", cursorColumn: "at", batchSize: 100 });
    await source.query("INSERT INTO log VALUES ('2024-02-01', 'same'), ('2024-02-01', 'same')");
    await run(task);
    await run(task);
    expect(rows("SELECT count(*) AS n FROM log")).toEqual([{ n: 2_102 }]);
  });

  it("waits for an open transaction rather than lose or double its rows, and says so", async () => {
    const { add, engine, rows, run, source } = await start(
      "CREATE TABLE log (id bigserial, line text); INSERT INTO log (line) VALUES ('a')",
    );
    const task = await add({ sourceTable: "log" });
    expect(task.mode).toBe("append");
    const early = await source.connect();
    await early.query("BEGIN; INSERT INTO log (line) VALUES ('b')");
    await source.query("INSERT INTO log (line) VALUES ('c')");
    await expect(run(task)).rejects.toMatchObject({ code: "SOURCE_FAILED", message: expect.stringContaining("open") });
    expect((await engine.task(task.id)).lastRun?.error?.message).toContain("primary key");
    await early.query("COMMIT");
    await run(task);
    expect(rows("SELECT line FROM log ORDER BY id").map(({ line }) => line)).toEqual(["a", "b", "c"]);
  });

  it("is refused for upsert with the reason", async () => {
    const { add } = await start("CREATE TABLE log (at timestamptz NOT NULL, line text)");
    await expect(add({ sourceTable: "log", mode: "upsert", cursorColumn: "at" })).rejects.toMatchObject({
      code: "INVALID_TASK",
      message: expect.stringContaining("upsert needs a primary key"),
    });
  });

  it("is copied in full where nothing else fits", async () => {
    const { add, rows, run, source } = await start(
      "CREATE TABLE pairs (a int, b int); INSERT INTO pairs VALUES (1, 1), (1, 1)",
    );
    const task = await add({ sourceTable: "pairs" });
    expect(task).toMatchObject({ mode: "full", cursorColumn: null });
    await source.query("DELETE FROM pairs; INSERT INTO pairs VALUES (2, 2)");
    await run(task);
    expect(rows("SELECT * FROM pairs")).toEqual([{ a: 2, b: 2 }]);
  });
});

describe("The schema of a copied table", () => {
  it("gets added columns with their values", async () => {
    const { add, rows, run, source } = await start(`${USERS}; INSERT INTO users (name) VALUES ('Ada')`);
    const task = await add({ sourceTable: "users" });
    await source.query("ALTER TABLE users ADD plan text NOT NULL DEFAULT 'free', ADD note text");
    await run(task);
    expect(rows("SELECT name, plan, note FROM users")).toEqual([{ name: "Ada", plan: "free", note: null }]);
  });

  it("follows a wider type without copying anew", async () => {
    const { add, rows, run, source } = await start(
      "CREATE TABLE t (id int PRIMARY KEY, code varchar(5), updated_at timestamptz DEFAULT now()); INSERT INTO t VALUES (1, 'a')",
    );
    const task = await add({ sourceTable: "t" });
    await source.query(
      "ALTER TABLE t ALTER id TYPE bigint, ALTER code TYPE text; INSERT INTO t VALUES (9007199254740993, 'longer than five')",
    );
    expect((await run(task)).rowsPulled).toBe(1);
    expect(rows("SELECT CAST(id AS TEXT) AS id, code FROM t ORDER BY 1 DESC LIMIT 1")).toEqual([
      { id: "9007199254740993", code: "longer than five" },
    ]);
  });

  it("keeps dropped columns as null and reports them", async () => {
    const { add, rows, run, source } = await start(
      `${USERS}; ALTER TABLE users ADD plan text; INSERT INTO users (name, plan) VALUES ('Ada', 'x')`,
    );
    const task = await add({ sourceTable: "users" });
    await source.query("ALTER TABLE users DROP plan");
    expect(await run(task)).toMatchObject({ droppedColumns: ["plan"], error: null });
    expect(rows("SELECT name, plan FROM users")).toEqual([{ name: "Ada", plan: null }]);
    await source.query("ALTER TABLE users ADD plan text DEFAULT 'back'");
    expect(await run(task)).toMatchObject({ droppedColumns: [] });
    expect(rows("SELECT name, plan FROM users")).toEqual([{ name: "Ada", plan: "back" }]);
  });

  it.each([
    ["another type", "ALTER TABLE users ALTER name TYPE int USING length(name)", { id: 1, name: 3 }],
    [
      "another primary key",
      "ALTER TABLE users DROP CONSTRAINT users_pkey; ALTER TABLE users ADD PRIMARY KEY (name)",
      { id: 1, name: "Ada" },
    ],
    [
      "a table that was dropped and made again",
      `DROP TABLE users; ${USERS}; INSERT INTO users (id, name, updated_at) VALUES (5, 'new', '2001-01-01')`,
      { id: 5, name: "new" },
    ],
  ])("is rebuilt for %s, with the user's indexes", async (_what, change, expected) => {
    const {
      add,
      change: changeLocal,
      rows,
      run,
      source,
    } = await start(`${USERS}; INSERT INTO users (name) VALUES ('Ada')`);
    const task = await add({ sourceTable: "users" });
    changeLocal("CREATE INDEX by_name ON users (name)");
    await source.query(change);
    expect((await run(task)).notes).toEqual([expect.stringMatching(/^copied anew: the /)]);
    expect(rows("SELECT id, name FROM users")).toEqual([expected]);
    expect(rows("SELECT name FROM sqlite_schema WHERE name = 'by_name'")).toHaveLength(1);
    expect((await run(task)).rowsPulled).toBe(0);
  });

  it("is an error where a table has gone, and goes on when it is back", async () => {
    const { add, rows, run, source } = await start(`${USERS}; INSERT INTO users (name) VALUES ('Ada')`);
    const task = await add({ sourceTable: "users" });
    await source.query("ALTER TABLE users RENAME TO away");
    await expect(run(task)).rejects.toMatchObject({ code: "TABLE_MISSING" });
    expect(rows("SELECT name FROM users")).toEqual([{ name: "Ada" }]);
    await source.query("ALTER TABLE away RENAME TO users");
    expect((await run(task)).error).toBeNull();
  });
});
