import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import { createExports, type ExportRequest } from "../../../src/exports/index.js";
import { spawnNode } from "../../support/child.js";
import { readGuide } from "../../support/guide.js";
import { startPostgres } from "../../support/postgres.js";
import { tempDir } from "../../support/temp-dir.js";
import { buildNasty } from "../formats/nasty-database.js";
import { contentOf } from "../formats/restored.js";

const guide = readGuide("docs/exports.md");

/** Of each column the values that are hard to bring back. Columns named `g` are computed. */
const SCHEMA = `
  CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id), note TEXT, g AS (id * 2),
    r REAL, n NUMERIC, b BLOB, big INTEGER, name VARCHAR(20), h TEXT GENERATED ALWAYS AS (upper(note)) STORED);
  CREATE TABLE parent (id INTEGER PRIMARY KEY, "na""me" TEXT);`;
const ROWS: readonly (readonly unknown[])[] = [
  [1, 'a"b,c\\d', 0.1, Number.POSITIVE_INFINITY, Buffer.from([0, 255, 10, 13]), 9223372036854775807n, "Infinity"],
  [
    1,
    "line\r\nline\nline\u2028line\u2029",
    Number.NEGATIVE_INFINITY,
    1e300,
    Buffer.alloc(0),
    -9223372036854775808n,
    "",
  ],
  [99, "", 5e-324, -0.5, null, null, null],
  [null, null, 1 / 3, 9007199254740993n, Buffer.from("\\x00"), 0, "\\N"],
  [null, "Infinity", 1e300, 7, Buffer.from('"'), 1, "\\."],
];

/** A database of these rows, and the same without any. */
function makeDatabases(): { readonly dir: string; readonly full: string; readonly empty: string } {
  const dir = tempDir();
  const [full, empty] = [join(dir, "full.db"), join(dir, "restored.db")];
  for (const path of [full, empty]) new Database(path).exec(SCHEMA).close();
  const database = new Database(full);
  database.pragma("foreign_keys = OFF");
  const insert = database.prepare("INSERT INTO child (parent, note, r, n, b, big, name) VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const row of ROWS) insert.run(row);
  database.exec(`INSERT INTO parent VALUES (1, 'p')`);
  database.close();
  return { dir, full, empty };
}

/** What a job makes of a database, as a file. */
async function exportTo(file: string, database: string, request: ExportRequest): Promise<string> {
  const exporter = createExports({ database, dir: `${file}-exports` });
  await exporter.start();
  try {
    const { id } = await exporter.startJob(request);
    expect((await exporter.finished(id)).error).toBeNull();
    const { body } = await exporter.download(id);
    writeFileSync(file, Buffer.from(await new Response(body).arrayBuffer()));
    return file;
  } finally {
    await exporter.stop();
  }
}

function rowsOf(path: string, table: string): unknown[] {
  const database = new Database(path, { readonly: true });
  try {
    return database.prepare(`SELECT *, typeof(r), typeof(n), typeof(big) FROM ${table}`).safeIntegers(true).all();
  } finally {
    database.close();
  }
}

function shell(dir: string, script: string): string {
  return execFileSync("bash", ["-c", script], { cwd: dir, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

describe("restoring SQL", () => {
  const line = (guide.take("sh", "integrity_check").match(/^.*dump\.sql$/m) ?? [""])[0];

  it("gives an equal database", async () => {
    const dir = tempDir();
    const source = new Database(join(dir, "nasty.db"));
    // Lone bytes in a schema come in no other way.
    source.unsafeMode();
    buildNasty(source);
    source.close();
    await exportTo(join(dir, "dump.sql"), join(dir, "nasty.db"), {});
    shell(dir, line);
    const [restored, original] = ["restored.db", "nasty.db"].map((name) => {
      const database = new Database(join(dir, name), { readonly: true });
      const content = contentOf(database);
      database.close();
      return content;
    });
    expect(restored).toEqual(original);
  });

  it("restores nothing of a script that was cut short", async () => {
    const { dir, full } = makeDatabases();
    const whole = readFileSync(await exportTo(join(dir, "whole.sql"), full, {}));
    const end = whole.indexOf("COMMIT");
    for (const cut of [0.1, 0.5, 0.9].map((share) => Math.floor(end * share)).concat(end)) {
      const folder = tempDir();
      writeFileSync(join(folder, "dump.sql"), whole.subarray(0, cut));
      try {
        shell(folder, line);
      } catch {
        // It ends in the middle of a statement.
      }
      expect(shell(folder, "sqlite3 restored.db .tables").trim(), `cut at ${cut} of ${whole.length}`).toBe("");
    }
  });

  it("changes nothing in a file that has the tables already", async () => {
    const { dir, full } = makeDatabases();
    await exportTo(join(dir, "dump.sql"), full, {});
    expect(() => shell(dir, line)).toThrow(/already exists/);
    expect(rowsOf(join(dir, "restored.db"), "child")).toEqual([]);
  });
});

describe("restoring CSV", () => {
  it("gives PostgreSQL the values as they were", { timeout: 90_000 }, async () => {
    const { dir, full } = makeDatabases();
    const csv = await exportTo(join(dir, "users.csv"), full, { format: "csv", tables: ["child"] });
    // Its server may be another user.
    chmodSync(dir, 0o755);
    chmodSync(csv, 0o644);
    const postgres = await startPostgres();
    await postgres.query(`CREATE TABLE users (id bigint PRIMARY KEY, parent bigint, note text, g bigint,
      r double precision, n numeric, b bytea, big bigint, name text, h text)`);
    const copy = guide.take("sql", "\\copy").trim();
    expect(copy).toMatch(/^\\copy users FROM 'users\.csv' WITH \(.*\)$/);
    await postgres.query(copy.replace("\\", "").replace("users.csv", csv));
    const rows = await postgres.query("SELECT *, n::text FROM users ORDER BY id");
    const text = (value: unknown): unknown => (value === null ? null : `${value}`);
    expect(rows).toEqual(
      ROWS.map(([parent, note, r, , b, big, name], index) => ({
        ...{ id: `${index + 1}`, parent: text(parent), note, g: `${2 * (index + 1)}`, r, n: expect.anything(), b },
        ...{ big: text(big), name, h: typeof note === "string" ? note.toUpperCase() : note },
      })),
    );
    expect(rows.map(({ n }) => Number(n))).toEqual(ROWS.map((row) => Number(row[3])));
    expect(rows[3]?.n).toBe("9007199254740993");
    await postgres.query("CREATE TABLE again (LIKE users)");
    if (!existsSync("/usr/bin/psql")) return;
    execFileSync("/usr/bin/psql", [postgres.url, "-c", copy.replace("users", "again")], { cwd: dir, stdio: "pipe" });
    expect(await postgres.query("SELECT * FROM again EXCEPT SELECT * FROM users")).toEqual([]);
    expect(await postgres.query("SELECT count(*)::int FROM again")).toEqual([{ count: ROWS.length }]);
  });

  it("gives the sqlite3 shell everything but the difference of NULL, and BLOBs as their digits", async () => {
    const { dir, full } = makeDatabases();
    await exportTo(join(dir, "users.csv"), full, { format: "csv", tables: ["child"] });
    const [, load = ""] = /(sqlite3 .*\.import .*)/.exec(guide.take("sh", ".import")) ?? [];
    shell(
      dir,
      `sqlite3 restored.db "DROP TABLE child; CREATE TABLE users (id INTEGER PRIMARY KEY, parent INTEGER,
      note TEXT, g, r REAL, n NUMERIC, b BLOB, big INTEGER, name TEXT, h TEXT)"\n${load}`,
    );
    const database = new Database(join(dir, "restored.db"));
    const rows = database.prepare("SELECT parent, note, r, b, big, name FROM users").safeIntegers(true).raw().all();
    database.close();
    const text = (value: unknown): unknown => {
      if (value === null) return "";
      if (Buffer.isBuffer(value)) return `\\x${value.toString("hex").toUpperCase()}`;
      if (value === Number.NEGATIVE_INFINITY) return "-Infinity";
      return value;
    };
    const integer = (value: unknown): unknown => (typeof value === "number" ? BigInt(value) : text(value));
    expect(rows).toEqual(
      ROWS.map(([parent, note, r, , b, big, name]) => [
        ...[integer(parent), text(note), text(r), text(b), integer(big), text(name)],
      ]),
    );
  });
});

describe("restoring JSON", () => {
  it("gives SQLite alone numbers and text as they were", async () => {
    const { dir, full } = makeDatabases();
    const exporter = createExports({ database: full, dir: join(dir, "exports") });
    await exporter.start();
    const { body } = await exporter.stream({ format: "json", table: "child" });
    writeFileSync(join(dir, "users.json"), await new Response(body).text());
    await exporter.stop();
    const [, load = ""] = /(sqlite3 .*json_each.*)/.exec(guide.take("sh", "json_each")) ?? [];
    const columns = ["id", "parent", "note", "big", "name"];
    const wanted = load
      .replace("value ->> 'id', value ->> 'name'", columns.map((name) => `value ->> '${name}'`).join(", "))
      .replace("INTO users", "INTO child (id, parent, note, big, name)");
    shell(dir, wanted.replace("restored.db ", 'restored.db "PRAGMA foreign_keys = OFF" '));
    const pick = (path: string): unknown[] => {
      const database = new Database(path, { readonly: true });
      const rows = database.prepare(`SELECT ${columns} FROM child`).safeIntegers(true).all();
      database.close();
      return rows;
    };
    expect(pick(join(dir, "restored.db"))).toEqual(pick(full));
  });
});

describe("restoring NDJSON (examples/restore-ndjson.mjs)", () => {
  let program: string;
  beforeAll(() => {
    program = join(process.cwd(), "examples/restore-ndjson.mjs");
  });

  it("brings back every value from NDJSON", async () => {
    const { dir, full, empty } = makeDatabases();
    const file = await exportTo(join(dir, "dump.ndjson"), full, { format: "ndjson" });
    const run = spawnNode(program, [file, empty]);
    expect(await run.exited).toEqual({ code: 0, signal: null });
    expect(run.lines).toEqual([`${ROWS.length + 1} rows`]);
    expect(rowsOf(empty, "child")).toEqual(rowsOf(full, "child"));
  });

  it("brings back text that is not UTF-8, and takes bare rows", async () => {
    const { dir, full, empty } = makeDatabases();
    const database = new Database(full);
    database.exec("DELETE FROM child; INSERT INTO child (note) VALUES (CAST(x'61ff62' AS TEXT))");
    const exporter = createExports({ database: full, dir: join(dir, "exports") });
    await exporter.start();
    const { body } = await exporter.stream({ format: "ndjson", table: "child" });
    writeFileSync(join(dir, "child.ndjson"), await new Response(body).text());
    await exporter.stop();
    database.close();
    const run = spawnNode(program, [join(dir, "child.ndjson"), empty, "child"]);
    expect(await run.exited).toEqual({ code: 0, signal: null });
    expect(shell(dir, `sqlite3 restored.db "SELECT hex(note), typeof(note) FROM child"`)).toBe("61FF62|text\n");
  });

  it.each([
    ["a line that is no JSON", '{"table":"parent","row":{"id":3,', "line 2: .*JSON"],
    ["the end of a file that was cut short", null, "cut short"],
    ["a table that is not there", '{"table":"nope","row":{"id":3}}\n', "line 2: there is no table nope"],
    ["a bare row", '{"id":3}\n', "line 2: a bare row: give the name of its table as the third argument"],
    ["a key that is there", '{"table":"parent","row":{"id":2}}\n', "line 2: UNIQUE constraint failed"],
    ["a line that is no row", "null\n", "line 2: "],
    ["a column that is not there", '{"table":"parent","row":{"id":3,"x":1}}\n', "line 2: .*no column named x"],
  ])("puts all rows in or none: %s", async (_what, bad, message) => {
    const { dir, empty } = makeDatabases();
    const good = '{"table":"parent","row":{"id":2,"na\\"me":null}}\n';
    writeFileSync(join(dir, "dump.ndjson"), bad === null ? good.repeat(1).slice(0, -1) : `${good}${bad.trimEnd()}\n`);
    const run = spawnNode(program, [join(dir, "dump.ndjson"), empty]);
    expect(await run.exited).toEqual({ code: 1, signal: null });
    expect(run.stderr).toMatch(new RegExp(message));
    expect(run.stderr).toMatch(/Nothing was written\.\n$/);
    expect(shell(dir, `sqlite3 restored.db "SELECT count(*) FROM parent"`)).toBe("0\n");
  });

  it("says what it needs", async () => {
    const { dir, empty } = makeDatabases();
    const nothing = spawnNode(program, []);
    expect(await nothing.exited).toEqual({ code: 2, signal: null });
    expect(nothing.stderr).toMatch(/^Usage: /);
    const noFile = spawnNode(program, [join(dir, "nope.ndjson"), empty]);
    expect((await noFile.exited).code).toBe(1);
    expect(noFile.stderr).toMatch(/nope\.ndjson.*no such file/);
    copyFileSync(empty, join(dir, "x.ndjson"));
    const noDatabase = spawnNode(program, [join(dir, "x.ndjson"), join(dir, "nope.db")]);
    expect((await noDatabase.exited).code).toBe(1);
    expect(noDatabase.stderr).toMatch(/^.*nope\.db: unable to open/);
  });
});
