import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { BUILT_CLI } from "../built-cli.js";
import { startFakeExports } from "./fake-exports.js";

describe("an output that nobody reads to its end", () => {
  async function exitCode(...args: string[]): Promise<number> {
    const fake = await startFakeExports();
    const { job } = fake.complete(randomBytes(4 * 1024 * 1024));
    for (let made = 0; made < 2_000; made += 1) fake.complete(Buffer.from("x"));
    const child = spawn(process.execPath, [BUILT_CLI, "export", ...args.map((arg) => arg.replace("JOB", job.id))], {
      env: { ...process.env, ...fake.env },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const exited = once(child, "exit");
    await once(child.stdout, "data");
    child.stdout.destroy();
    return (await exited)[0];
  }

  it("is a failure of a download, which was to be whole", async () => {
    expect(await exitCode("download", "JOB", "-o", "-")).toBe(1);
  });

  it("is none of a list, as after head", async () => {
    expect(await exitCode("status")).toBe(0);
  });
});
