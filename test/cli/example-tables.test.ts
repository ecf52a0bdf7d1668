import { copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Child, spawnNode } from "../support/child.js";
import { startPostgres, type TestPostgres } from "../support/postgres.js";
import { tempDir } from "../support/temp-dir.js";
import { buildCli } from "./built-cli.js";

let postgres: TestPostgres;
let packageDir: string;
beforeAll(async () => {
  packageDir = resolve(dirname(await buildCli()), "../..");
  postgres = await startPostgres();
  await postgres.query(`
    CREATE TABLE users (id bigint PRIMARY KEY, name text, updated_at timestamptz DEFAULT now());
    INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 2000) AS n;
    CREATE SCHEMA sales;
    CREATE TABLE sales.orders (id serial PRIMARY KEY, total numeric(10,2));
    INSERT INTO sales.orders (total) VALUES (1.5), (2.5)`);
}, 60_000);

/** Runs the example in a folder where the package is installed. */
function runExample(url: string | undefined, ...tables: string[]): Child {
  const dir = tempDir();
  mkdirSync(join(dir, "node_modules"));
  symlinkSync(packageDir, join(dir, "node_modules", "starfish-replica"));
  copyFileSync("examples/tables.mjs", join(dir, "tables.mjs"));
  return spawnNode(join(dir, "tables.mjs"), tables, { cwd: dir, env: { DATABASE_URL: url, COPY: undefined } });
}

describe("examples/tables.mjs", () => {
  it("copies the tables, shows progress and rows, and ends on Ctrl-C", async () => {
    const example = runExample(postgres.url, "users", "sales.orders");
    await example.waitForLine(/^users -> users: upsert by updated_at$/);
    await example.waitForLine(/^users: 2000 rows, for instance$/);
    await example.waitForLine(/^ {2}id \| name \| updated_at$/);
    await example.waitForLine(/^ {2}1 \| user 1 \| \d{4}-\d\d-\d\dT/);
    await example.waitForLine(/^sales\.orders -> orders: append by id$/);
    await example.waitForLine(/^ {2}2 \| 2\.5$/);
    await example.waitForLine(/^following/);
    expect(example.lines.join("\n")).toMatch(/^users: copy, \d+ of about \S+ rows$/m);
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
