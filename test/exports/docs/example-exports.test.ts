import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { type Child, spawnNode } from "../../support/child.js";
import { installedProject } from "../../support/installed-project.js";
import { inCi } from "../../support/size.js";

const ROWS = 6_000;

/** A folder with the example and a database that takes several parts. */
function shopProject(): string {
  const dir = installedProject();
  copyFileSync("examples/exports.mjs", join(dir, "exports.mjs"));
  const database = new Database(join(dir, "shop.db"));
  database.exec(`CREATE TABLE users (id INTEGER PRIMARY KEY, body TEXT); CREATE TABLE "no rows" (a);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
    INSERT INTO users SELECT i, hex(randomblob(5000)) FROM n`);
  database.close();
  return dir;
}

function runExample(dir: string, ...args: string[]): Child {
  return spawnNode(join(dir, "exports.mjs"), args, { cwd: dir });
}

const fileName = (name: string): string => `${name}-${new Date().toISOString().slice(0, 10)}.ndjson`;

/** Whether the file holds each row once, and is what the last line says. */
function verifySaved(dir: string, example: Child): void {
  const file = readFileSync(join(dir, fileName("users")));
  const ids = file
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).row.id);
  expect(ids).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1));
  const sha256 = createHash("sha256").update(file).digest("hex");
  expect(example.lines.at(-1)).toBe(`${fileName("users")}: ${file.length} bytes, SHA-256 ${sha256}`);
  expect(example.stderr).toBe("");
  // The job is gone, and with it what it kept.
  for (const folder of ["files", "work"]) expect(readdirSync(join(dir, "shop.db-exports", folder))).toEqual([]);
}

describe("examples/exports.mjs", () => {
  it("saves the file of a job, with progress that has something to tell", async () => {
    const dir = shopProject();
    const example = runExample(dir, "shop.db", "ndjson", "users");
    expect(await example.exited).toEqual({ code: 0, signal: null });
    verifySaved(dir, example);
    const rows = example.lines.slice(0, -1).map((line) => Number(/^(\d+) rows, \d+ bytes, \d of 1 /.exec(line)?.[1]));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
    expect(rows[0]).toBeGreaterThan(0);
  });

  it.each((["SIGKILL", "SIGINT"] as const).slice(0, inCi ? 2 : 1))(
    "goes on after %s half way",
    { timeout: 60_000 },
    async (signal) => {
      const dir = shopProject();
      const first = runExample(dir, "shop.db", "ndjson", "users");
      await first.waitForLine(/^\d+ rows/, 30_000);
      const killed = signal === "SIGKILL";
      expect(await first.kill(signal)).toEqual({ code: killed ? null : 0, signal: killed ? signal : null });
      if (!killed) expect(first.lines.at(-1)).toBe("stopped; the same command goes on from here");
      expect(first.stderr).toBe("");
      const second = runExample(dir, "shop.db", "ndjson", "users");
      const [, rows] = await second.waitForLine(/^going on with [0-9a-f-]{36}, at (\d+) rows$/, 30_000);
      expect(Number(rows)).toBeGreaterThan(0);
      expect(await second.exited).toEqual({ code: 0, signal: null });
      verifySaved(dir, second);
    },
  );

  it.runIf(inCi)("says what is wrong where it cannot begin, and ends by itself", { timeout: 60_000 }, async () => {
    const dir = shopProject();
    writeFileSync(join(dir, "text.db"), "this is no database".repeat(100));
    for (const [args, code, words] of [
      [[], 2, /^Usage: /],
      [["nope.db"], 1, /^LOCAL_DATABASE: The database \S+nope\.db does not exist\n/],
      [["text.db"], 1, /^LOCAL_DATABASE: .* is no SQLite database/],
      [["shop.db", "xml"], 1, /^INVALID_EXPORT: format must be one of sql, csv, json, ndjson, got "xml"/],
      [["shop.db", "csv"], 1, /^INVALID_EXPORT: tables must name exactly one table/],
      [["shop.db", "json", "nope"], 1, /^TABLE_MISSING: There is no table "nope" to export/],
    ] as const) {
      const example = runExample(dir, ...args);
      expect([await example.exited, example.stderr]).toEqual([{ code, signal: null }, expect.stringMatching(words)]);
    }
  });

  it("replaces no file, and saves once that is out of the way", async () => {
    const dir = shopProject();
    const name = fileName("no rows");
    writeFileSync(join(dir, name), "mine");
    const first = runExample(dir, "shop.db", "ndjson", "no rows");
    expect(await first.exited).toEqual({ code: 1, signal: null });
    expect(first.stderr).toBe(`Error: ${name} is there already: move it away, and start this again\n`);
    expect(readFileSync(join(dir, name), "utf8")).toBe("mine");
    rmSync(join(dir, name));
    const second = runExample(dir, "shop.db", "ndjson", "no rows");
    expect(await second.exited).toEqual({ code: 0, signal: null });
    expect(second.lines[0]).toMatch(/^going on with /);
    expect(readFileSync(join(dir, name), "utf8")).toBe("");
  });
});
