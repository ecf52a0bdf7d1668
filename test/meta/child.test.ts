import { describe, expect, it } from "vitest";
import { buildOnce, buildSnippet } from "../support/build-once.js";
import { spawnNode } from "../support/child.js";
import { expectProcessEnds } from "../support/open-handles.js";
import { waitFor } from "../support/wait.js";

describe("buildOnce", () => {
  it("bundles TypeScript that a child runs, with the project's packages", async () => {
    const file = await buildSnippet(`
      import { canonicalJson } from "./test/meta/fixtures/typed.js";
      import { Hono } from "hono";
      console.log(canonicalJson({ a: 1 }), typeof Hono);
    `);
    const child = spawnNode(file);
    await child.waitForLine(/^{"a":1} function$/);
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it("builds a module once", async () => {
    const builds = await Promise.all([
      buildOnce("test/meta/fixtures/typed.ts"),
      buildOnce("test/meta/fixtures/typed.ts"),
    ]);
    expect(builds[0]).toBe(builds[1]);
  });

  it("rejects with what is wrong in the source", async () => {
    await expect(buildSnippet("const = 1")).rejects.toThrow("Expected identifier");
  });

  it("runs the support servers outside vitest", async () => {
    const file = await buildSnippet(`
      import { startPrimary } from "./test/support/primary.js";
      const primary = await startPrimary();
      console.log((await fetch(primary.url + "/pull/posts/doc")).status);
      await primary.stop();
      console.log("done");
    `);
    const child = spawnNode(file);
    await child.waitForLine(/^200$/);
    await child.waitForLine(/^done$/);
  });
});

describe("spawnNode", () => {
  it("finds lines in order, talks to stdin and passes arguments and environment", async () => {
    const file = await buildSnippet(`
      import { createInterface } from "node:readline";
      console.log("ready", process.argv[2], process.env.GREETING, String(process.env.VITEST), String(process.env.NODE_ENV));
      for await (const line of createInterface({ input: process.stdin })) console.log("got " + line);
    `);
    const child = spawnNode(file, ["argument"], { env: { GREETING: "hello" } });
    await child.waitForLine(/^ready argument hello undefined undefined$/);
    child.writeLine("one");
    child.writeLine("two");
    expect((await child.waitForLine(/^got (.*)$/))[1]).toBe("one");
    expect((await child.waitForLine(/^got (.*)$/))[1]).toBe("two");
    await expect(child.waitForLine(/never/, 20)).rejects.toThrow("No line matched /never/ within 20 ms");
    expect(await child.kill("SIGTERM")).toEqual({ code: null, signal: "SIGTERM" });
  });

  it("tells the output of a process that ended too early", async () => {
    const child = spawnNode(await buildSnippet(`console.log("out"); console.error("err"); process.exit(3);`));
    const failure = child.waitForLine(/ready/);
    await expect(failure).rejects.toThrow("ended (3)");
    await expect(failure).rejects.toThrow(/out[\s\S]*err/);
    expect(await child.exited).toEqual({ code: 3, signal: null });
  });

  const left: number[] = [];
  const forEver = `setInterval(() => {}, 1000); console.log("up");`;

  it("starts a process and leaves it running", async () => {
    const child = spawnNode(await buildSnippet(forEver));
    await child.waitForLine(/up/);
    left.push(child.pid);
  });

  it("has killed what the test before left", async () => {
    const [pid] = left;
    expect(pid).toBeGreaterThan(0);
    await waitFor(() => {
      try {
        return !process.kill(pid ?? 0, 0);
      } catch {
        return true;
      }
    });
  });
});

describe("expectProcessEnds", () => {
  it("passes when the process ends by itself", async () => {
    const exit = await expectProcessEnds(await buildSnippet(`setTimeout(() => {}, 10); console.log("done");`));
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.afterMs).toBeLessThan(2_000);
  });

  it("names what keeps the process alive", async () => {
    const file = await buildSnippet(`
      import { createServer } from "node:net";
      createServer().listen(0, "127.0.0.1", () => console.log("done"));
    `);
    const failure = expectProcessEnds(file, { withinMs: 100 });
    await expect(failure).rejects.toThrow("still alive 100 ms after");
    await expect(failure).rejects.toThrow("TCPServerWrap");
  });

  it("does not take a crash for an end", async () => {
    const file = await buildSnippet(`console.log("done"); throw new Error("crashed");`);
    await expect(expectProcessEnds(file)).rejects.toThrow("crashed");
  });
});
