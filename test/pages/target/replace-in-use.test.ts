import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lockTarget } from "../../../src/pages/target/lock-target.js";
import { readSyncRecord } from "../../../src/pages/target/sync-record.js";
import type { Child } from "../../support/child.js";
import { size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { leftovers, type PullVersion, pullVersion } from "./pull-version.js";
import { laterVersion, makeVersion, place, startTargetChild, versionOf } from "./versions.js";

const MODES = [{ wal: false }, { wal: true }];

/** This process must not open a file that others have locks on through it: pulls are processes of their own here, as they are in the client. */
async function pull(options: PullVersion): Promise<string> {
  const child = await startTargetChild("pull", JSON.stringify(options));
  const [line] = await child.waitForLine(/^(done|failed) .*/, 60_000);
  await child.exited;
  return line;
}

describe("replacing a file that other programs have open", () => {
  it.each(MODES)("shows readers the old content or the new, never a mix (WAL: $wal)", async ({ wal }) => {
    const [to = "", ...all] = place("local.db", "1.db", "2.db");
    const from = all.slice(0, size({ test: 1, ci: 2 }));
    const rows = [300, 2_000];
    for (const [index, path] of from.entries())
      makeVersion(path, index + 1, { rows: rows[index] ?? 0, wal: index === 1 });
    makeVersion(to, 0, { wal, rows: 500 });
    const readers = await Promise.all([startTargetChild("loop", to), startTargetChild("loop", to)]);
    const sees = (version: number, count: number) => async (reader: Child) =>
      await reader.waitForLine(new RegExp(`^sees ${version} ${version} ${count} ${count * 480}$`));
    await Promise.all(readers.map(sees(0, 500)));
    for (const [index, path] of from.entries()) {
      expect(await pull({ from: path, to, generation: index + 1 })).toMatch(/^done/);
      await Promise.all(readers.map(sees(index + 1, rows[index] ?? 0)));
    }
    // Each content once, one after the other, and nothing else.
    for (const reader of readers) {
      expect(reader.lines).toHaveLength(1 + from.length);
      expect(reader.stderr).toBe("");
    }
  });

  it("leaves a reader in a long transaction its content in WAL mode", async () => {
    const [from = "", to = ""] = place("server.db", "local.db");
    makeVersion(from, 1, { rows: 1_000 });
    makeVersion(to, 0, { wal: true });
    const reader = await startTargetChild("hold", to);
    await reader.waitForLine(/^holds 0$/);
    expect(await pull({ from, to, generation: 1 })).toMatch(/^done/);
    // The log cannot be emptied while the reader needs it, so page 1 is read from there.
    expect(await pull({ from, to, generation: 1 })).toBe("done 0 true");
    reader.writeLine("go on");
    await reader.waitForLine(/^held 0 1$/);
    await reader.exited;
    expect(versionOf(to)).toBe(1);
  });

  it.each(
    [
      { what: "hold", wal: false },
      { what: "write", wal: true },
      { what: "write", wal: false },
    ].slice(0, size({ test: 2, ci: 3 })),
  )("waits for a transaction that is in the way ($what, WAL: $wal)", async ({ what, wal }) => {
    const [from = "", to = ""] = place("server.db", "local.db");
    makeVersion(from, 1);
    makeVersion(to, 0, { wal });
    const other = await startTargetChild(what, to);
    await other.waitForLine(/^holds 0$/);
    expect(await pull({ from, to, generation: 1, patienceSeconds: 0.3 })).toMatch(
      /^failed LOCAL_DATABASE .*0.3 seconds/,
    );
    const child = await startTargetChild("pull", JSON.stringify({ from, to, generation: 1 }));
    await child.waitForLine(/^replacing$/);
    other.writeLine("go on");
    await other.waitForLine(/^held 0 [01]$/);
    await child.waitForLine(/^done/, 20_000);
    expect(versionOf(to)).toBe(1);
  });

  it("changes auto_vacuum and the page size under a program that goes on writing", async () => {
    const [first = "", second = "", to = ""] = place("first.db", "second.db", "local.db");
    makeVersion(first, 1, { autoVacuum: "full", pageSize: 1024 });
    makeVersion(second, 2, { autoVacuum: "none" });
    makeVersion(to, 0);
    const writer = await startTargetChild("grow", to);
    for (const [from, version] of [
      [first, 1],
      [second, 2],
    ] as const) {
      expect(await pull({ from, to, generation: version })).toMatch(/^done/);
      writer.writeLine("go on");
      await writer.waitForLine(new RegExp(`^grown ${version} ok$`));
    }
    await writer.kill();
    expect(versionOf(to)).toBe(2);
  });

  it("cannot change the page size of a file in WAL mode that others have open, and says so", async () => {
    const [from = "", to = ""] = place("server.db", "local.db");
    makeVersion(from, 1, { pageSize: 8192 });
    makeVersion(to, 0, { wal: true });
    const reader = await startTargetChild("loop", to);
    await reader.waitForLine(/^sees 0 0/);
    expect(await pull({ from, to, generation: 1 })).toMatch(/^failed LOCAL_DATABASE .*8192 bytes/);
    await reader.kill();
    await pullVersion({ from, to, generation: 1 });
    expect(versionOf(to)).toBe(1);
  });

  it.each(MODES)("rolls back first what a program has left that died in a transaction (WAL: $wal)", async ({ wal }) => {
    const [from = "", to = ""] = place("server.db", "local.db");
    makeVersion(from, 1);
    makeVersion(to, 0, { wal, rows: 20_000 });
    const dying = await startTargetChild(
      "pull",
      JSON.stringify({ from: makeVersion(`${to}-9`, 9, { rows: 20_000 }), to, generation: 9 }),
    );
    await dying.waitForLine(/^step [1-9]\d* of/);
    await dying.kill();
    expect(leftovers(to)).toContain(wal ? "-wal" : "-journal");
    await pullVersion({ from, to, generation: 1 });
    expect(versionOf(to)).toBe(1);
    expect(leftovers(to)).toEqual([]);
  });

  it.each(MODES)(
    "is one of the two versions, and known as such, whenever it is killed (WAL: $wal)",
    async ({ wal }) => {
      const [to = "", first = "", second = ""] = place("local.db", "1.db", "2.db");
      makeVersion(first, 1, { rows: 6_000 });
      laterVersion(first, second, 2);
      makeVersion(to, 0, { wal });
      await pullVersion({ from: first, to, generation: 1 });
      for (let round = 1; round <= size({ test: 2, ci: 15, soak: 50 }); round++) {
        const next = versionOf(to) === 1 ? { from: second, generation: 2 } : { from: first, generation: 1 };
        const child = await startTargetChild("pull", JSON.stringify({ ...next, to }));
        await child.waitForLine(/^replacing$/);
        const killed = new Promise((resolve) => setTimeout(resolve, Math.random() * 120)).then(() => child.kill());
        await Promise.race([killed, child.exited]);
        await killed;
        const version = versionOf(to);
        expect([1, 2]).toContain(version);
        // Whichever it is, it is known: a pull of the same version takes every page from the file, and page 1 from the record.
        const same = await pullVersion({ from: version === 1 ? first : second, to, generation: version });
        expect(same, `round ${round}`).toMatchObject({ put: 0, recognised: true });
      }
    },
    size({ test: 20_000, ci: 120_000, soak: 400_000 }),
  );

  it("takes turns with another sync of the same file", async () => {
    const path = join(tempDir(), "local.db");
    writeFileSync(path, "");
    const lock = await lockTarget(path);
    await expect(lockTarget(path)).rejects.toMatchObject({ code: "LOCAL_DATABASE", retryable: true });
    lock.release();
    (await lockTarget(path)).release();
    expect((await readSyncRecord(path)).record).toEqual({ synced: null, pending: null, replacing: null });
  });
});
