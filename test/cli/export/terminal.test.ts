import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { spawnNode } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { BUILT_CLI } from "../built-cli.js";
import { hasScript, spawnInTerminal } from "../terminal-child.js";
import { finish, startFakeExports } from "./fake-exports.js";
import { runCli } from "./run-cli.js";

const NAME = "shop-2026-03-04.sql";

const cli = BUILT_CLI;

describe("export on a terminal", () => {
  it.skipIf(!hasScript)("draws a bar, stops at Ctrl-C and goes on (needs script of util-linux)", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(randomBytes(8_000_000), "shop");
    made.pauseMs = 15;
    const command = `cd ${dir} && "${process.execPath}" "${cli}" export download shop`;
    const terminal = spawnInTerminal(command, { ...fake.env, LANG: "C.UTF-8" });
    await terminal.waitFor(
      /shop-2026-03-04\.sql {2}━+─+ {2}\d\d?% {2}\d\.\d of 7\.6 MiB {2}\d+\.\d MiB\/s {2}0:0\d left/,
    );
    terminal.type("\x03");
    await terminal.waitFor(/Stopped at \d\.\d of 7\.6 MiB\./);
    await terminal.exited;
    const kept = statSync(join(dir, `${NAME}.part`)).size;
    expect(kept).toBeGreaterThan(500_000);
    const again = spawnInTerminal(command, { ...fake.env, LANG: "C.UTF-8", NO_COLOR: "1" });
    await again.waitFor(/Going on at \d\.\d of 7\.6 MiB of shop-2026-03-04\.sql\r?\n/);
    await again.waitFor(/Downloaded: 7\.6 MiB, SHA-256 verified\r?\nshop-2026-03-04\.sql\r?\n/);
    await again.exited;
    expect(readFileSync(join(dir, NAME)).equals(made.content)).toBe(true);
  });

  it.skipIf(!hasScript)("shows how a job gets on, and only plain lines on a dumb terminal", async () => {
    const fake = await startFakeExports();
    const start = `"${process.execPath}" "${cli}" export start`;
    const terminal = spawnInTerminal(start, fake.env);
    const [id = ""] = await terminal.waitFor(/job-\w+/);
    await terminal.waitFor(/Exporting {2}taking a snapshot {2}0 rows {2}0:00/);
    const made = fake.jobs.get(id);
    if (!made) throw new Error("no job");
    made.job.progress = { tablesDone: 1, tablesTotal: 3, rowsDone: 4_000, bytesWritten: 2_097_152 };
    await terminal.waitFor(/Exporting {2}2\.0 MiB {2}\d+\.\d MiB\/s {2}1 of 3 tables {2}4,000 rows {2}0:0\d/);
    finish(made, Buffer.from("x"));
    await terminal.waitFor(/Completed: 3 tables, 12,345 rows, 1 B/);
    await terminal.exited;

    fake.onStart = (next) => finish(next, Buffer.from("x"));
    const dumb = spawnInTerminal(start, { ...fake.env, TERM: "dumb" });
    await dumb.waitFor(/Completed/);
    await dumb.exited;
    expect(dumb.text).not.toContain("Exporting");
  });
});

describe("export download, where there is no room", () => {
  it("says so, keeps what has come, and goes on once there is room", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(randomBytes(3_000_000), "shop");
    // In blocks of 512 or 1024 bytes: a file may not become larger than 1 or 2 MiB.
    const limited = spawnNode(await limiter(dir), [cli, "export", "download", "shop"], { cwd: dir, env: fake.env });
    expect(await limited.exited).toEqual({ code: 1, signal: null });
    expect(limited.stderr).toContain(
      `cannot write ${NAME}: files may not become that large here. What has arrived stays in ${NAME}.part.`,
    );
    const kept = statSync(join(dir, `${NAME}.part`)).size;
    expect(kept).toBeGreaterThanOrEqual(1_000_000);
    expect(await runCli(cli, fake, ["download", "shop"], dir)).toMatchObject({ code: 0, stdout: NAME });
    expect(readFileSync(join(dir, NAME)).equals(made.content)).toBe(true);
    const asked = fake.host.requests.at(-1)?.headers.range;
    expect(asked).toMatch(/^bytes=\d{7}-$/);
    expect(readdirSync(dir).sort()).toEqual(["limiter.mjs", NAME]);
  });

  it("says before it begins that a disk is too small", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(Buffer.from("x"), "shop");
    const artifact = { bytes: Number.MAX_SAFE_INTEGER, sha256: made.job.artifact?.sha256 ?? "" };
    made.job.artifact = artifact;
    const run = await runCli(cli, fake, ["download", "shop", "-o", "x.sql"], dir);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(/x\.sql needs 8192\.0 TiB more, and its disk has .* left\. Make room/);
    await waitFor(() => !readdirSync(dir).includes("x.sql"));
  });
});

/** A program that runs another with a limit on the size of files, which only a shell can set. */
async function limiter(dir: string): Promise<string> {
  const { writeFile } = await import("node:fs/promises");
  const path = join(dir, "limiter.mjs");
  await writeFile(
    path,
    `import { spawnSync } from "node:child_process";
     const quoted = [process.execPath, ...process.argv.slice(2)].map((word) => "'" + word + "'").join(" ");
     const { status, signal } = spawnSync("sh", ["-c", "ulimit -f 2048; exec " + quoted], { stdio: "inherit" });
     process.exit(signal ? 99 : status);`,
  );
  return path;
}
