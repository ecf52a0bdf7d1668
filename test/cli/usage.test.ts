import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { spawnNode } from "../support/child.js";
import { BUILT_CLI } from "./built-cli.js";

const cli = BUILT_CLI;

async function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawnNode(cli, args);
  const { code } = await child.exited;
  return { code, stdout: child.lines.join("\n"), stderr: child.stderr };
}

describe("starfish-replica", () => {
  it.each([["--help"], ["-h"], ["help"], ["demo --help"], ["demo --once -h"]])(
    "prints its usage for %s",
    async (line) => {
      const { code, stdout, stderr } = await run(...line.split(" "));
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^Usage: starfish-replica/);
      for (const part of ["demo", "--once", "--port N", "--version", "Exit codes: 0 "]) expect(stdout).toContain(part);
    },
  );

  it.each(["--version", "-v"])("prints the package's version for %s", async (flag) => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await run(flag)).toEqual({ code: 0, stdout: version, stderr: "" });
  });

  it.each([
    ["", "a command is missing"],
    ["dmeo", 'unknown command "dmeo": did you mean "demo"?'],
    [
      "frobnicate",
      'unknown command "frobnicate": known: "demo", "export", "signup", "login", "whoami", "oauth", "db", "sync", "help"',
    ],
    ["--versoin", 'unknown flag "--versoin": did you mean "--version"?'],
    ["demo --onec", 'unknown flag "--onec": did you mean "--once"?'],
    ["demo -x", 'unknown flag "-x": known: "--once", "--port", "--help"'],
    ["demo --constructor", 'unknown flag "--constructor": known: '],
    ["demo --once=yes", '--once takes no value, got "yes"'],
    ["demo now", 'unexpected argument "now"'],
    ["demo --port", "--port needs a value"],
    ["demo --port=", '--port takes a number from 0 to 65535, got ""'],
    ["demo --port -1", '--port takes a number from 0 to 65535, got "-1"'],
    ["demo --port 65536", '--port takes a number from 0 to 65535, got "65536"'],
    ["demo --port 0x50", '--port takes a number from 0 to 65535, got "0x50"'],
    ["demo --port --once", '--port takes a number from 0 to 65535, got "--once"'],
  ])("refuses `%s` with 2, what is wrong and its usage", async (line, message) => {
    const { code, stdout, stderr } = await run(...line.split(" ").filter(Boolean));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`starfish-replica: ${message}`);
    expect(stderr).toContain("\nUsage: starfish-replica");
  });

  it("can be run as it is", () => {
    expect(readFileSync(cli, "utf8").split("\n", 1)[0]).toBe("#!/usr/bin/env node");
  });
});
