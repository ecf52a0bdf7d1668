import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Child, spawnNode } from "../support/child.js";
import { startPostgres, type TestPostgres } from "../support/postgres.js";
import { tempDir } from "../support/temp-dir.js";
import { BUILT_CLI } from "./built-cli.js";

let postgres: TestPostgres;
let packageDir: string;
beforeAll(async () => {
  packageDir = resolve(dirname(BUILT_CLI), "../..");
  postgres = await startPostgres();
  await postgres.query(`
    CREATE TABLE users (id bigint PRIMARY KEY, name text, updated_at timestamptz DEFAULT now());
    INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 2000) AS n;
    CREATE SCHEMA sales;
    CREATE TABLE sales.orders (id serial PRIMARY KEY, total numeric(10,2));
    INSERT INTO sales.orders (total) VALUES (1.5), (2.5)`);
}, 60_000);

/** A folder where the package is installed. */
function projectDir(): string {
  const dir = tempDir();
  mkdirSync(join(dir, "node_modules"));
  symlinkSync(packageDir, join(dir, "node_modules", "starfish-replica"));
  return dir;
}

function runExample(url: string | undefined, ...tables: string[]): Child {
  const dir = projectDir();
  copyFileSync("examples/tables.mjs", join(dir, "tables.mjs"));
  return spawnNode(join(dir, "tables.mjs"), tables, { cwd: dir, env: { DATABASE_URL: url, COPY: undefined } });
}

describe("examples/tables.mjs", () => {
  it("copies the tables, shows progress and rows, and ends on Ctrl-C", async () => {
    const example = runExample(postgres.url, "users", "sales.orders");
    await example.waitForLine(/^following/);
    const text = example.lines.join("\n");
    expect(text).toContain("users -> users: upsert by updated_at\n");
    expect(text).toMatch(/^users: 2000 rows, for instance\n {2}id \| name \| updated_at\n {2}1 \| user 1 \| \d{4}-/m);
    expect(text).toContain("sales.orders -> orders: append by id\n");
    expect(text).toMatch(/^orders: 2 rows, for instance\n {2}id \| total\n {2}1 \| 1\.5\n {2}2 \| 2\.5$/m);
    expect(text).toMatch(/^users: copy, \d+ of about \S+ rows$/m);
    expect(await example.kill("SIGINT")).toEqual({ code: 0, signal: null });
    expect(example.lines.at(-1)).toBe("stopped");
    expect(example.stderr).toBe("");
  });

  it("says what is wrong where it cannot begin", async () => {
    const nobody = runExample(undefined);
    expect(await nobody.exited).toEqual({ code: 2, signal: null });
    expect(nobody.stderr).toMatch(/^Usage: /);
    const mysql = runExample("mysql://root@localhost/shop", "users");
    expect((await mysql.exited).code).toBe(1);
    expect(mysql.stderr).toContain("mysql:// is not supported yet");
  });
});

describe("the first program of docs/tables.md", () => {
  it("runs as it stands", async () => {
    const guide = readFileSync("docs/tables.md", "utf8");
    const [, sql = ""] = /<<'SQL'\n([\s\S]*?)SQL\n/.exec(guide) ?? [];
    const [, program = ""] = /\/\/ follow\.mjs\n([\s\S]*?)```/.exec(guide) ?? [];
    const database = await postgres.createDatabase();
    await database.query(sql);
    const dir = projectDir();
    writeFileSync(join(dir, "follow.mjs"), program);
    const follow = spawnNode(join(dir, "follow.mjs"), [], { cwd: dir, env: { DATABASE_URL: database.url } });
    await follow.waitForLine(/cursorColumn: 'updated_at'/);
    await follow.waitForLine(/\{ columns: \[ 'count\(\*\)' \], rows: \[ \[ 1000 \] \] \}/);
    expect(await follow.kill("SIGINT")).toEqual({ code: 0, signal: null });
    expect(follow.stderr).toBe("");
  });
});
