import { execFile, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type Child, spawnNode } from "../support/child.js";
import { startHttpHost } from "../support/http-host.js";
import { realNow } from "../support/real-time.js";
import { inCi } from "../support/size.js";
import { tempDir } from "../support/temp-dir.js";

import { BUILT_CLI } from "./built-cli.js";

const MODES = ["pull_only", "push_through", "bidirectional", "push_only"];
const ESCAPE = "\x1b";
const hasCurl = spawnSync("curl", ["--version"]).status === 0;

const cli = BUILT_CLI;

/** Starts `demo` with a temporary folder that nobody else uses. */
function startDemo(...args: string[]): { demo: Child; tmp: string } {
  const tmp = tempDir();
  return { demo: spawnNode(cli, ["demo", ...args], { env: { TMPDIR: tmp, FORCE_COLOR: undefined } }), tmp };
}

/** Waits until the demo has said everything but its first line about a collection. */
async function greeted(demo: Child): Promise<{ replica: string; curls: string[] }> {
  const [, replica = ""] = await demo.waitForLine(/^replica {2}(\S+)/);
  await demo.waitForLine(/^\d\d:\d\d:\d\d /);
  return { replica, curls: demo.lines.filter((line) => line.startsWith("curl ")) };
}

describe("demo --once", () => {
  it("verifies all four modes, exits with 0 and leaves nothing behind", async () => {
    const { demo, tmp } = startDemo("--once");
    expect(await demo.exited).toEqual({ code: 0, signal: null });
    expect(demo.stderr).toBe("");
    const text = demo.lines.join("\n");
    for (const mode of MODES) expect(text).toContain(`, ${mode}\n  ✓ `);
    expect(text).toMatch(/a change at the primary was here \d+ ms later/);
    expect(text).toMatch(/the outbox had it at the primary \d+ ms later/);
    expect(text).toMatch(/started again: both are at the primary \d+ ms later/);
    expect(text).toMatch(/All four modes hold: \d+ facts verified in /);
    expect(text).not.toMatch(/✗/);
    expect(text).not.toContain(ESCAPE);
    expect(readdirSync(tmp)).toEqual([]);
  });

  it.each([
    ["at the beginning", /^prices, pull_only/],
    ["while the primary is stopped", /stopped: a client still reads/],
  ])("exits with 1 when it is interrupted %s", async (_, line) => {
    const { demo, tmp } = startDemo("--once");
    await demo.waitForLine(line);
    expect(await demo.kill("SIGINT")).toEqual({ code: 1, signal: null });
    expect(demo.stderr).toContain("interrupted");
    expect(readdirSync(tmp)).toEqual([]);
  });
});

describe("demo", () => {
  it.runIf(inCi)(
    "prints plain lines where there is no terminal: one for each change, at most one per second and collection",
    async () => {
      const { demo } = startDemo();
      await greeted(demo);
      const seen = new Map<string, string>();
      for (let changes = 0; changes < 3; changes++) {
        const [, time = "", hash = ""] = await demo.waitForLine(
          /^(\d\d:\d\d:\d\d) prices mode=pull_only local=(\w{12}) primary=\w{12} outbox=- error=- staleness=\d+\.\ds$/,
        );
        expect(seen.has(time)).toBe(false);
        seen.set(time, hash);
      }
      expect(new Set(seen.values()).size).toBe(3);
      await demo.waitForLine(/ sales mode=push_only local=(\w{12}) primary=\1 outbox=sent:\d+ error=- staleness=-$/);
      for (const mode of MODES) expect(demo.lines.join("\n")).toContain(`mode=${mode} `);
      expect(demo.lines.join("")).not.toContain(ESCAPE);
      expect(demo.lines.join("\n")).not.toContain("press p");
      expect(demo.stderr).toBe("");
    },
  );

  it.skipIf(!hasCurl || !inCi)("prints two curl lines that work as often as they are pasted (needs curl)", async () => {
    const { demo } = startDemo();
    const { curls } = await greeted(demo);
    expect(curls).toHaveLength(2);
    const [read = "", write = ""] = curls;
    const paste = async (line: string) => JSON.parse((await promisify(execFile)("sh", ["-c", line])).stdout);
    for (let time = 0; time < 2; time++) {
      const { hash } = await paste(write);
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(await paste(read)).toMatchObject({ data: { apples: 7 }, hash });
    }
  });

  it.each((["SIGINT", "SIGTERM", "SIGHUP"] as const).slice(0, inCi ? 3 : 1))(
    "ends with 0 on %s, within a second, and removes its files",
    async (signal) => {
      const { demo, tmp } = startDemo();
      await greeted(demo);
      expect(readdirSync(tmp)).toEqual([expect.stringMatching(/^starfish-replica-demo-/)]);
      const asked = realNow();
      expect(await demo.kill(signal)).toEqual({ code: 0, signal: null });
      expect(realNow() - asked).toBeLessThan(1_000);
      expect(readdirSync(tmp)).toEqual([]);
    },
  );

  it("removes its files when a second Ctrl-C hurries it", async () => {
    const { demo, tmp } = startDemo();
    await greeted(demo);
    demo.signal("SIGINT");
    await demo.kill("SIGINT");
    expect(readdirSync(tmp)).toEqual([]);
  });

  it.runIf(inCi)("removes its files when nobody reads its output any more", async () => {
    const tmp = tempDir();
    const { stdout } = await promisify(execFile)("sh", ["-c", `"${process.execPath}" "${cli}" demo | head -1`], {
      env: { ...process.env, TMPDIR: tmp },
    });
    expect(stdout).toBe("starfish-replica demo\n");
    expect(readdirSync(tmp)).toEqual([]);
  });

  it.runIf(inCi)("puts the replica on --port, and says what to do when that is taken", async () => {
    const holder = await startHttpHost((_, response) => response.end());
    const { demo: refused, tmp } = startDemo("--port", String(holder.port));
    expect(await refused.exited).toEqual({ code: 1, signal: null });
    expect(refused.lines).toEqual([]);
    expect(refused.stderr).toBe(
      `starfish-replica: port ${holder.port} is taken: choose another --port, or leave it out for a free one\n`,
    );
    expect(readdirSync(tmp)).toEqual([]);

    await holder.stop();
    const { demo } = startDemo("--port", String(holder.port));
    const { replica } = await greeted(demo);
    expect(replica).toBe(`http://127.0.0.1:${holder.port}/v1`);
    expect((await fetch(`${replica}/pull/prices`)).status).toBe(200);
  });
});
