import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { describe, expect, it } from "vitest";
import { createExports, type ExportsOptions } from "../../../src/exports/index.js";
import { atEnd } from "../../support/at-end.js";
import { startHttpHost } from "../../support/http-host.js";
import { inCi } from "../../support/size.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { BUILT_CLI } from "../built-cli.js";
import { jsonLines, resultOf, runCli, startCli } from "./run-cli.js";

const TOKEN = "token-of-the-real-thing";

const cli = BUILT_CLI;

/** Exports of a shop with so many orders, behind their routes, and a proxy whose line can be made slow. */
async function realExports(orders: number, options: Partial<ExportsOptions> = {}) {
  const dir = tempDir();
  const database = join(dir, "shop.db");
  execFileSync("sqlite3", [
    database,
    `PRAGMA journal_mode = WAL;
     CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
     INSERT INTO users VALUES (1, 'Ada'), (2, 'Grace'), (3, NULL);
     CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT NOT NULL);
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${orders})
     INSERT INTO orders SELECT i, hex(randomblob(500)) FROM n;`,
  ]);
  const exports = createExports({ database, dir: join(dir, "exports"), minFreeBytes: 0, ...options });
  atEnd(() => exports.stop());
  await exports.start();
  const app = exports.routes({ token: TOKEN });
  const host = await startHttpHost(getRequestListener(app.fetch));
  const proxy = await startTcpProxy(host.port);
  const env = { STARFISH_REPLICA_SERVER: proxy.origin, STARFISH_REPLICA_TOKEN: TOKEN };
  const out = join(dir, "out");
  mkdirSync(out);
  return { database, env, proxy, out };
}

describe("export, with exports that are real", () => {
  it.runIf(inCi)("makes a dump that restores to the same database", async () => {
    const { database, env, out } = await realExports(2_000);
    const run = await runCli(cli, { env }, ["start", "--download", "dump.sql"], out);
    expect(run).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\w.~-]+$/) });
    expect(run.stderr).toMatch(/Completed: \d+ tables, 2,003 rows, \d\.\d MiB\nDownloaded: .*, SHA-256 verified\n$/);
    execFileSync("sqlite3", ["restored.db", ".read dump.sql"], { cwd: out });
    const rows = (file: string) =>
      execFileSync("sqlite3", [file, "SELECT * FROM users; SELECT * FROM orders"], {
        cwd: out,
        maxBuffer: 100_000_000,
      });
    expect(rows("restored.db").equals(rows(database))).toBe(true);
  });

  it("goes on after kill -9 and after a cut line, byte for byte", async () => {
    const { env, proxy, out } = await realExports(12_000);
    const id = (await runCli(cli, { env }, ["start", "--format", "ndjson"])).stdout;
    const expected = await runCli(cli, { env }, ["download", id, "-o", "expected"], out);
    expect(expected.code).toBe(0);
    proxy.drip(65_536, 3);
    let part = "";
    const grown = async (bytes: number) => {
      await waitFor(() => {
        part = readdirSync(out).find((name) => name.endsWith(".part")) ?? "";
        return part !== "" && statSync(join(out, part)).size > bytes;
      });
    };
    for (const bytes of [1_000_000, 3_000_000]) {
      const child = startCli(cli, { env }, ["download", id], out);
      await grown(bytes);
      await child.kill("SIGKILL");
    }
    const last = startCli(cli, { env }, ["download", id, "--json"], out);
    await grown(5_000_000);
    proxy.cut();
    await proxy.pass();
    const { code, stdout, stderr } = await resultOf(last);
    expect(code).toBe(0);
    const [result] = jsonLines(stdout);
    expect(result).toMatchObject({
      job: id,
      file: expect.stringMatching(/^shop-[\d-]{10}\.ndjson$/),
      unchanged: false,
    });
    expect(result?.resumedAt).toBeGreaterThan(3_000_000);
    expect(jsonLines(stderr).map(({ event }) => event)).toEqual(
      expect.arrayContaining(["resume", "retry", "downloaded"]),
    );
    expect(readFileSync(join(out, String(result?.file))).equals(readFileSync(join(out, "expected")))).toBe(true);
    expect(readdirSync(out).sort()).toEqual(["expected", result?.file]);
  });

  it.runIf(inCi)("says what the server has against a job, lists jobs, and removes them", async () => {
    const { env, out } = await realExports(10);
    const refused = await runCli(cli, { env }, ["start", "--table", "ordres"]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^starfish-replica: tables: .*ordres/);
    const callback = await runCli(cli, { env }, ["start", "--callback", "https://example.com/"]);
    expect(callback).toMatchObject({ code: 1, stdout: "" });
    expect(callback.stderr).toContain("callback");

    const id = (await runCli(cli, { env }, ["start", "--format", "csv", "--table", "users"])).stdout;
    const table = await runCli(cli, { env }, ["status"]);
    expect(table.stdout.split("\n")[1]).toMatch(new RegExp(`^${id} +completed +csv +3 +\\d+ B .* users$`));
    expect((await runCli(cli, { env }, ["status", id, "--watch"])).stdout).toContain("state     completed");
    const csv = await runCli(cli, { env }, ["download", id, "-o", "-"]);
    expect(csv.stdout).toMatch(/^"id","name"/);
    expect(await runCli(cli, { env }, ["cancel", id])).toMatchObject({ code: 0 });
    const gone = await runCli(cli, { env }, ["download", id], out);
    expect(gone).toMatchObject({ code: 1, stdout: "" });
    expect(gone.stderr).toMatch(/^starfish-replica: There is no export job with the id/);
    expect(existsSync(join(out, "users.csv"))).toBe(false);
  });
});
