import { copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ReplicaError } from "../../../src/errors.js";
import {
  createQueryRunner,
  type QueryRunner,
  type QueryRunnerOptions,
} from "../../../src/tables/query/query-runner.js";
import { atEnd } from "../../support/at-end.js";
import { buildOnce, buildSnippet } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";

const RUNAWAY = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";

let entry: string;
let folder: string;
let path: string;
let writer: Database.Database;

beforeAll(async () => {
  entry = await buildOnce("src/tables/query/main.ts");
});

beforeEach(() => {
  folder = tempDir();
  path = join(folder, "replica.db");
  writer = new Database(path);
  atEnd(() => writer.close());
  writer.pragma("journal_mode = WAL");
  writer.exec(
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, 'Ann'), (2, 'Bob')",
  );
});

function open(options: QueryRunnerOptions = {}): QueryRunner {
  const runner = createQueryRunner(path, { entry, ...options });
  atEnd(() => runner.close());
  return runner;
}

const failure = (promise: Promise<unknown>): Promise<ReplicaError> =>
  promise.then(
    () => Promise.reject(new Error("It did not fail.")),
    (error) => error,
  );

describe("createQueryRunner", () => {
  it("gives columns and rows", async () => {
    await expect(open().query("SELECT id, name AS who FROM users ORDER BY id")).resolves.toEqual({
      columns: ["id", "who"],
      rows: [
        [1, "Ann"],
        [2, "Bob"],
      ],
    });
    await expect(open().query("SELECT id FROM users WHERE id > 5")).resolves.toEqual({ columns: ["id"], rows: [] });
  });

  it("finds its program in the package", async () => {
    const runner = createQueryRunner(path);
    atEnd(() => runner.close());
    await expect(runner.query("SELECT count(*) FROM users")).resolves.toMatchObject({ rows: [[2]] });
  });

  it("says what a bundler has to leave alone where it does not find its program", async () => {
    const bundle = join(folder, "server.mjs");
    copyFileSync(await buildOnce("src/tables/query/query-runner.ts"), bundle);
    const runner: QueryRunner = (await import(bundle)).createQueryRunner(path);
    atEnd(() => runner.close());
    await expect(runner.query("SELECT 1")).rejects.toMatchObject({
      name: "ReplicaError",
      code: "WORKER_FAILED",
      message: expect.stringMatching(/^The process that runs queries cannot be started: .*#query-worker.*$/),
      hint: expect.stringMatching(/bundler.*starfish-replica.*external/),
      retryable: false,
    });
  });

  it("keeps every value what it is", async () => {
    const sql = "SELECT 1, 9007199254740991, 9007199254740992, -9223372036854775808, 1.5, 2.0, NULL, 'é', x'00ff', x''";
    const { rows } = await open().query(sql);
    const bytes = [new Uint8Array([0, 255]), new Uint8Array()];
    expect(rows).toEqual([
      [1, 9007199254740991, 9007199254740992n, -9223372036854775808n, 1.5, 2, null, "é", ...bytes],
    ]);
    expect(rows[0]?.[8]?.constructor).toBe(Uint8Array);
  });

  it.each([
    "VALUES (1)",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "/* SELECT */ -- x\n SELECT 1;",
    "select 1 ; -- end",
    "SELECT ';' AS \";\"",
  ])("runs what reads: %s", async (sql) => {
    await expect(open().query(sql)).resolves.toMatchObject({ rows: [[expect.anything()]] });
  });

  it("explains", async () => {
    const runner = open();
    expect((await runner.query("EXPLAIN SELECT 1")).rows.length).toBeGreaterThan(0);
    expect((await runner.query("EXPLAIN QUERY PLAN SELECT * FROM users")).rows).toHaveLength(1);
  });

  it("sees what another connection has committed, and nothing of what it has not", async () => {
    const runner = open();
    const count = async () => (await runner.query("SELECT count(*) FROM users")).rows[0]?.[0];
    expect(await count()).toBe(2);
    for (let round = 1; round <= 5; round += 1) {
      writer.exec("BEGIN; INSERT INTO users (name) VALUES ('half')");
      expect(await count()).toBe(round * 2);
      writer.exec("INSERT INTO users (name) VALUES ('whole'); COMMIT");
      expect(await count()).toBe(round * 2 + 2);
    }
  });

  it("answers many queries at once, in their order", async () => {
    const runner = open();
    const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => runner.query("SELECT ?", [n])));
    expect(answers.map((answer) => answer.rows[0]?.[0])).toEqual(Array.from({ length: 300 }, (_, n) => n));
  });

  it("reads the file that stands there now", async () => {
    path = join(folder, "plain.db");
    new Database(path).exec("CREATE TABLE users (id)").close();
    const runner = open();
    await expect(runner.query("SELECT id FROM users")).resolves.toMatchObject({ rows: [] });
    const other = new Database(join(folder, "other.db"));
    other.exec("CREATE TABLE users (id); INSERT INTO users VALUES ('other')");
    other.close();
    renameSync(join(folder, "other.db"), path);
    await expect(runner.query("SELECT id FROM users")).resolves.toMatchObject({ rows: [["other"]] });
  });
});

describe("a query that is not read-only", () => {
  it.each([
    "INSERT INTO users (name) VALUES ('x')",
    "UPDATE users SET name = 'x'",
    "DELETE FROM users",
    "REPLACE INTO users VALUES (1, 'x')",
    "WITH a AS (SELECT 1) INSERT INTO users SELECT 9, 'x' FROM a",
    "WITH a AS (SELECT 1) DELETE FROM users",
    "WITH a AS (SELECT 1) UPDATE users SET name = 'x' RETURNING id",
    "INSERT INTO users (name) VALUES ('x') RETURNING id",
    "DROP TABLE users",
    "CREATE TABLE x (a)",
    "CREATE TEMP TABLE x (a)",
    "ALTER TABLE users RENAME TO x",
    "ATTACH 'other.db' AS other",
    "DETACH other",
    "VACUUM",
    "VACUUM INTO 'stolen.db'",
    "PRAGMA query_only = 0",
    "PRAGMA user_version = 7",
    "PRAGMA table_info(users)",
    "EXPLAIN PRAGMA query_only = 0",
    "EXPLAIN QUERY PLAN PRAGMA query_only = 0",
    "explain/**/query--\nplan/**/pragma writable_schema=1",
    "EXPLAIN DELETE FROM users",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "SAVEPOINT a",
    "REINDEX",
    "ANALYZE",
    "SELECT load_extension('./evil')",
    "SELECT 1; DELETE FROM users",
    "SELECT 1;; SELECT 2",
    "SELECT 1; PRAGMA query_only = 0",
    "SELECT '''; --'; DELETE FROM users",
    "SELECT 1 /* ; */ ; /* */ DELETE FROM users --",
    'SELECT ";" ; DROP TABLE users',
    "SELECT [;] ; DROP TABLE users",
    "SELECT `;` ; DROP TABLE users",
    "-- SELECT\nDELETE FROM users",
    "/* SELECT 1 */ DELETE FROM users",
    "(DELETE FROM users)",
    "\ufeffDELETE FROM users",
  ])("is refused: %s", async (sql) => {
    const runner = open();
    const error = await failure(runner.query(sql));
    expect(error).toMatchObject({ code: "QUERY_REFUSED", retryable: false });
    expect(writer.prepare("SELECT count(*) FROM users").pluck().get()).toBe(2);
    expect(writer.prepare("SELECT count(*) FROM sqlite_schema").pluck().get()).toBe(1);
    expect(writer.pragma("user_version", { simple: true })).toBe(0);
    await expect(runner.query("SELECT count(*) FROM users")).resolves.toMatchObject({ rows: [[2]] });
  });

  it.each(["", " \n", ";", "-- only a comment", "/* open", "SELECT 1\0; DELETE FROM users"])(
    "nor is this any query: %j",
    async (sql) => {
      expect((await failure(open().query(sql))).code).toMatch(/^QUERY_(FAILED|REFUSED)$/);
    },
  );

  it.each([undefined, null, 7, ["SELECT 1"], { sql: "SELECT 1" }])("nor is what is no string: %j", async (sql) => {
    await expect(open().query(sql as unknown as string)).rejects.toMatchObject({ code: "QUERY_FAILED" });
  });

  it("is refused when it hides behind a very long comment or string", async () => {
    const long = "x".repeat(900_000);
    await expect(open().query(`/*${long}*/ DELETE FROM users`)).rejects.toMatchObject({ code: "QUERY_REFUSED" });
    await expect(open().query(`SELECT '${long}'; DELETE FROM users`)).rejects.toMatchObject({ code: "QUERY_REFUSED" });
    await expect(open().query(`SELECT length('${"''".repeat(400_000)}')`)).resolves.toMatchObject({
      rows: [[400_000]],
    });
  });
});

describe("parameters", () => {
  it("are values, whatever is in them", async () => {
    const evil = "'); DROP TABLE users; --";
    await expect(open().query("SELECT ? AS a, ? AS b", [evil, "\"`'"])).resolves.toMatchObject({
      rows: [[evil, "\"`'"]],
    });
  });

  it("are named or numbered", async () => {
    const runner = open();
    await expect(runner.query("SELECT :a, @b, $c, :a", { a: 1, b: "x", c: null })).resolves.toMatchObject({
      rows: [[1, "x", null, 1]],
    });
    await expect(runner.query("SELECT ?2, ?1, ?2", ["x", "y"])).resolves.toMatchObject({ rows: [["y", "x", "y"]] });
  });

  it("may leave out numbers, whose values go unused", async () => {
    const runner = open();
    await expect(runner.query("VALUES (?1, ?3)", ["a", "b", "c"])).resolves.toMatchObject({ rows: [["a", "c"]] });
    await expect(runner.query("SELECT ?5, ?2", [1, 2, 3, 4, 5])).resolves.toMatchObject({ rows: [[5, 2]] });
    await expect(runner.query("SELECT ?3, :a", { 3: "x", a: "y" })).resolves.toMatchObject({ rows: [["x", "y"]] });
  });

  it("keep whole numbers integers", async () => {
    const runner = open();
    const sql = "SELECT typeof(?), typeof(?), typeof(?), typeof(?), ?";
    await expect(runner.query(sql, [5, 5.5, 5n, new Uint8Array([1]), 2n ** 62n])).resolves.toMatchObject({
      rows: [["integer", "real", "integer", "blob", 2n ** 62n]],
    });
    await expect(runner.query("SELECT name FROM users ORDER BY id LIMIT ?", [1])).resolves.toMatchObject({
      rows: [["Ann"]],
    });
  });

  it.each<[string, unknown, RegExp]>([
    ["SELECT ?", [], /1 parameter, and 0 values/],
    ["SELECT ?, ?", [1], /2 parameters, and 1 value was/],
    ["SELECT 1", [1], /0 parameters, and 1 value/],
    ["SELECT ':a', \"?\" -- :b", [1], /0 parameters/],
    ["SELECT ?2", [1], /2 parameters, and 1 value/],
    ["VALUES (?1, ?3)", [1, 2], /3 parameters, and 2 values/],
    ["VALUES (?1, ?3)", [1, undefined, 3], /parameter 2 is undefined/],
    ["SELECT ?999999999", { 999999999: 1 }, /variable number/],
    ["SELECT :a", {}, /No value for the parameter a/],
    ["SELECT :a", { a: 1, b: 2 }, /no parameter named "b"/],
    ["SELECT :a", { ":a": 1 }, /no parameter named ":a"/],
    ["SELECT :a", [1], /named parameters/],
    ["SELECT ?", { a: 1 }, /no parameter named "a"/],
    ["SELECT ?, :a", { a: 1 }, /mixes/],
    ["SELECT ?", [true], /parameter 1 is a boolean/],
    ["SELECT ?", [undefined], /parameter 1 is undefined/],
    // biome-ignore lint/suspicious/noSparseArray: that is what is tried.
    ["SELECT ?", [,], /parameter 1 is undefined/],
    ["SELECT ?", [Number.NaN], /NaN/],
    ["SELECT ?", [[1]], /an array/],
    ["SELECT ?", [{}], /of type object/],
    ["SELECT ?", [2n ** 63n], /64 bits/],
    ["SELECT 1", "text", /array, or an object/],
    ["SELECT 1", null, /array, or an object/],
  ])("say what is wrong with them: %s %o", async (sql, given, message) => {
    const error = await failure(open().query(sql, given as never));
    expect(error.code).toBe("QUERY_FAILED");
    expect(error.message).toMatch(message);
  });
});

describe("a query that fails", () => {
  it("tells what SQLite says, and which tables there are", async () => {
    const runner = open();
    await expect(runner.query("SELECT * FROM user")).rejects.toMatchObject({
      code: "QUERY_FAILED",
      message: "no such table: user",
      hint: "There are: users.",
    });
    await expect(runner.query("SELECT nme FROM users")).rejects.toMatchObject({ message: "no such column: nme" });
    await expect(runner.query("SELECT FROM")).rejects.toMatchObject({ code: "QUERY_FAILED" });
  });

  it("has more rows or bytes than the limit", async () => {
    const three = "VALUES (1), (2), (3)";
    await expect(open({ maxRows: 3 }).query(three)).resolves.toMatchObject({ rows: [[1], [2], [3]] });
    await expect(open({ maxRows: 2 }).query(three)).rejects.toMatchObject({ code: "QUERY_FAILED", hint: /LIMIT/ });
    await expect(open({ maxBytes: 1_000 }).query("SELECT zeroblob(2000)")).rejects.toMatchObject({
      code: "QUERY_FAILED",
    });
  });

  it("finds no file: nothing has been copied yet; and works as soon as there is one", async () => {
    path = join(folder, "new.db");
    const runner = open();
    await expect(runner.query("SELECT 1")).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      message: /nothing has been copied/,
    });
    new Database(path).exec("CREATE TABLE t (a)").close();
    await expect(runner.query("SELECT * FROM t")).resolves.toEqual({ columns: ["a"], rows: [] });
  });

  it("finds something else than a database", async () => {
    path = join(folder, "text.db");
    writeFileSync(path, "no database ".repeat(1_000));
    await expect(open().query("SELECT * FROM t")).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    path = join(folder, "folder.db");
    mkdirSync(path);
    await expect(open().query("SELECT 1")).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
  });
});

describe("a query without end", () => {
  it("is ended at its deadline, and the next one runs", async () => {
    const runner = open({ timeoutMs: 300 });
    const [runaway, next] = await Promise.all([failure(runner.query(RUNAWAY)), runner.query("SELECT 1")]);
    expect(runaway).toMatchObject({ code: "QUERY_TIMEOUT" });
    expect(next.rows).toEqual([[1]]);
  });

  it("is ended by its signal, with the signal's reason", async () => {
    const runner = open();
    const abort = new AbortController();
    const query = failure(runner.query(RUNAWAY, [], abort.signal));
    const waiting = failure(runner.query("SELECT 1", [], abort.signal));
    const reason = new Error("gone");
    await runner.query("SELECT 1", [], AbortSignal.abort(reason)).catch(() => {});
    abort.abort(reason);
    expect(await query).toBe(reason);
    expect(await waiting).toBe(reason);
    await expect(runner.query("SELECT 2")).resolves.toMatchObject({ rows: [[2]] });
  });

  it("is ended by close, which refuses what comes later", async () => {
    const runner = open();
    await runner.query("SELECT 1");
    const running = failure(runner.query(RUNAWAY));
    const waiting = failure(runner.query("SELECT 1"));
    await runner.close();
    await runner.close();
    expect(await running).toMatchObject({ code: "STOPPED" });
    expect(await waiting).toMatchObject({ code: "STOPPED" });
    await expect(runner.query("SELECT 1")).rejects.toMatchObject({ code: "STOPPED" });
  });
});

describe("the process of a query", () => {
  const program = `
    import { createQueryRunner } from "./src/tables/query/query-runner.js";
    const [entry, path, sql] = process.argv.slice(2);
    const runner = createQueryRunner(path, { entry });
    console.log((await runner.query("SELECT 'pid'")).rows[0][0]);
    if (sql) await runner.query(sql);
  `;

  it("does not keep ours from ending", async () => {
    const child = spawnNode(await buildSnippet(program), [entry, path]);
    await child.waitForLine(/pid/);
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it("ends soon after ours was killed, also in the middle of a query", async () => {
    // Its own copy of the file, so that the process can be found by its name.
    const marker = join(folder, "orphan.db");
    writer.exec(`VACUUM INTO '${marker}'`);
    const child = spawnNode(await buildSnippet(program), [entry, marker, RUNAWAY]);
    await child.waitForLine(/pid/);
    const { execFileSync } = await import("node:child_process");
    const running = () =>
      execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
        .split("\n")
        .filter((line) => line.includes(marker));
    await waitFor(() => running().length >= 2);
    await child.kill();
    await waitFor(() => running().length === 0);
  });
});
