import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadDriver } from "../../src/drivers/load-driver.js";
import { buildSnippet } from "../support/build-once.js";
import { spawnNode } from "../support/child.js";
import { tempDir } from "../support/temp-dir.js";

const TRY = `
  import { loadDriver } from "./src/drivers/load-driver.js";
  try { await loadDriver(process.argv[2] as "pg"); console.log(JSON.stringify("loaded")); }
  catch (error) { console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint })); }
`;

/** Runs `loadDriver` in a process that finds only these packages: by name, the text of their module. */
async function loadWith(name: string, packages: Record<string, string>): Promise<Record<string, string>> {
  const dir = tempDir();
  for (const [id, text] of Object.entries(packages)) {
    await mkdir(join(dir, "node_modules", id), { recursive: true });
    await writeFile(join(dir, "node_modules", id, "index.js"), text);
  }
  const file = join(dir, "try.mjs");
  await copyFile(await buildSnippet(TRY), file);
  const line = await spawnNode(file, [name]).waitForLine(/./);
  return JSON.parse(line.input ?? "") as Record<string, string>;
}

describe("loadDriver", () => {
  it("gives each installed driver", async () => {
    const Sqlite = await loadDriver("better-sqlite3");
    const database = new Sqlite(":memory:");
    expect(database.prepare("SELECT 1").pluck().get()).toBe(1);
    database.close();
    expect((await loadDriver("pg")).Client).toBeTypeOf("function");
  });

  it.each(["better-sqlite3", "pg"])("names the command that installs %s where it is missing", async (name) => {
    expect(await loadWith(name, {})).toEqual({
      code: "MISSING_DRIVER",
      message: `The package "${name}" is not installed`,
      hint: `npm install ${name}`,
    });
  });

  it("tells a package that is there but broken from one that is missing", async () => {
    const error = await loadWith("pg", { pg: 'require("pg-protocol")' });
    expect(error.code).toBe("MISSING_DRIVER");
    expect(error.message).toContain("cannot be loaded: Cannot find module 'pg-protocol'");
  });

  it("asks for a rebuild where the native part is of another Node, though it loads with the first database only", async () => {
    const error = await loadWith("better-sqlite3", {
      "better-sqlite3": `module.exports = class { constructor() {
        throw Object.assign(new Error("The module was compiled against a different Node.js version\\nmore"), { code: "ERR_DLOPEN_FAILED" });
      } };`,
    });
    expect(error).toEqual({
      code: "MISSING_DRIVER",
      message:
        'The package "better-sqlite3" is installed but cannot be loaded: The module was compiled against a different Node.js version',
      hint: "npm rebuild better-sqlite3",
    });
  });
});
