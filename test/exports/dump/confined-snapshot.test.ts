import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { atEnd } from "../../support/at-end.js";
import { buildOnce } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";
import { databaseOf } from "./dump-fixture.js";

const CHILD = "test/exports/dump/confined-child.ts";

/** A folder that nobody may write to, and one where everybody may. */
function folders(): { closed: string; open: string } {
  const dir = tempDir();
  const closed = join(dir, "closed");
  const open = join(dir, "open");
  mkdirSync(closed);
  mkdirSync(open);
  chmodSync(dir, 0o755);
  chmodSync(open, 0o777);
  atEnd(() => chmodSync(closed, 0o755));
  return { closed, open };
}

async function run(database: string, open: string): Promise<{ snapshot: unknown; dumped: unknown; checked: unknown }> {
  const args = [database, join(open, "copy.db"), join(open, "scratch")];
  const child = spawnNode(await buildOnce(CHILD), args);
  const [, result = ""] = await child.waitForLine(/^done (.*)/, 30_000);
  return JSON.parse(result);
}

describe("a snapshot of a database in a folder that cannot be written to", () => {
  it.each(["wal", "delete"] as const)("is taken in mode %s where nobody has the database open", async (mode) => {
    const { closed, open } = folders();
    const database = databaseOf(1, mode, closed);
    chmodSync(database, 0o444);
    chmodSync(closed, 0o555);
    const { snapshot, dumped, checked } = await run(database, open);
    expect(snapshot).toEqual({ bytes: statSync(database).size });
    expect(checked).toBe("may be exported");
    expect(dumped).toBeGreaterThan(6_000);
    expect(readdirSync(closed)).toEqual(["source.db"]);
    expect(readdirSync(open).sort()).toEqual(["copy.db", "scratch"]);
    expect(readdirSync(join(open, "scratch"))).toEqual([]);
    const copy = new Database(join(open, "copy.db"), { readonly: true });
    expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
    copy.close();
  });

  it("is taken while another program has it open in WAL mode, with what stands in the WAL", async () => {
    const { closed, open } = folders();
    const database = databaseOf(1, "wal", closed);
    const writer = new Database(database);
    writer.exec("UPDATE pair SET n = 42");
    for (const suffix of ["", "-wal", "-shm"]) chmodSync(`${database}${suffix}`, 0o444);
    chmodSync(closed, 0o555);
    const { snapshot } = await run(database, open);
    expect(snapshot).toEqual({ bytes: expect.any(Number) });
    const copy = new Database(join(open, "copy.db"), { readonly: true });
    expect(copy.prepare("SELECT n FROM pair").pluck().all()).toEqual([42, 42]);
    copy.close();
    writer.close();
  });

  it("is refused where a dead writer has left a WAL without which the file is not whole", async () => {
    const { closed, open } = folders();
    const source = databaseOf(0.1);
    const writer = new Database(source);
    writer.exec("UPDATE pair SET n = 42");
    const database = join(closed, "source.db");
    for (const suffix of ["", "-wal"]) copyFileSync(`${source}${suffix}`, `${database}${suffix}`);
    writer.close();
    chmodSync(closed, 0o555);
    const { snapshot, checked } = await run(database, open);
    expect(snapshot).toMatchObject({ code: "LOCAL_DATABASE", hint: expect.stringContaining("folder") });
    expect(checked).toEqual(snapshot);
    expect(readdirSync(open)).not.toContain("copy.db.part");
    const link = join(open, "link.db");
    symlinkSync(database, link);
    const linked = await run(link, open);
    expect(linked.snapshot).toMatchObject({ code: "LOCAL_DATABASE", hint: expect.stringContaining("folder") });
  });
});

const canMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

describe("a snapshot on a disk that becomes full", () => {
  it.skipIf(!canMount)(
    "fails with DISK_LIMIT and leaves nothing (needs unshare -rm, of util-linux, and user namespaces)",
    async () => {
      const database = databaseOf(4, "wal");
      const disk = tempDir();
      const { size } = statSync(database);
      const entry = await buildOnce(CHILD);
      // There is room for the copy by the byte, and none for the journal of its one transaction.
      const script = `mount -t tmpfs -o size=${size} none "$1" && "$2" "$3" "$4" "$1/copy.db" && ls -A "$1"`;
      const output = execFileSync(
        "unshare",
        ["-rm", "sh", "-c", script, "sh", disk, process.execPath, entry, database],
        {
          encoding: "utf8",
        },
      );
      const [result = "", ...left] = output.trim().split("\n");
      expect(JSON.parse(result.replace("done ", "")).snapshot).toMatchObject({
        code: "DISK_LIMIT",
        message: expect.stringContaining(database),
        hint: expect.any(String),
      });
      expect(left).toEqual([]);
    },
  );
});
