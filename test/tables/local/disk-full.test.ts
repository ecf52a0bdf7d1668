import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { buildSnippet } from "../../support/build-once.js";
import { tempDir } from "../../support/temp-dir.js";

const run = promisify(execFile);

const FILL = `
  import { rmSync, statfsSync, writeFileSync } from "node:fs";
  import { LocalDatabase } from "./src/tables/local/local-database.js";
  const dir = process.argv[2];
  const database = await LocalDatabase.open(dir + "/local.db");
  database.exec("CREATE TABLE t (n INTEGER, data BLOB)");
  const batch = (n) => database.transaction(() => {
    for (let row = 0; row < 10; row += 1) database.run("INSERT INTO t VALUES (?, randomblob(10000))", n);
  });
  writeFileSync(dir + "/other", Buffer.alloc(4_000_000));
  let done = 0, error;
  try { for (; done < 1000; done += 1) batch(done); } catch (caught) { error = caught; }
  const kept = database.get("SELECT count(*) AS n FROM t").n;
  rmSync(dir + "/other");
  batch(done);
  const after = database.get("SELECT count(*) AS n FROM t").n;
  const check = database.get("PRAGMA integrity_check").integrity_check;
  console.log(JSON.stringify({ code: error?.code, retryable: error?.retryable, message: error?.message, done, kept, after, check }));
  database.close();
`;

describe("LocalDatabase on a small disk", () => {
  it("keeps every commit when the disk is full, and goes on when there is room again", async (context) => {
    const dir = tempDir();
    // The mount is seen by the child alone and ends with it.
    const small = 'mount -t tmpfs -o size=8m tmpfs "$1" && exec "$2" "$3" "$1"';
    const mountable = await run("unshare", ["-m", "sh", "-c", 'mount -t tmpfs tmpfs "$1"', "sh", dir]).catch(
      () => null,
    );
    if (mountable === null) return context.skip("needs the right to mount a tmpfs: run it as root on Linux");
    const { stdout } = await run(
      "unshare",
      ["-m", "sh", "-c", small, "sh", dir, process.execPath, await buildSnippet(FILL)],
      { timeout: 15_000 },
    );
    const result = JSON.parse(stdout) as Record<string, unknown> & { done: number };
    expect(result).toMatchObject({ code: "LOCAL_DATABASE", retryable: true, check: "ok" });
    expect(result.message).toContain("the disk is full");
    expect(result.done).toBeGreaterThan(5);
    expect(result.kept).toBe(result.done * 10);
    expect(result.after).toBe(result.done * 10 + 10);
  });
});
