import { copyFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsup";
import { atEnd } from "../support/at-end.js";

const projectDir = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Builds the package's JavaScript as `npm run build:js` does, in a folder of its own where it finds the project's packages, and resolves
 * with the path of the command. Called from `beforeAll`, it is removed when the file ends.
 */
export async function buildCli(): Promise<string> {
  const dir = join(
    projectDir,
    "node_modules",
    ".cache",
    "starfish-replica-test",
    `package-${process.pid}-${Date.now()}`,
  );
  atEnd(() => rm(dir, { recursive: true, force: true }));
  await mkdir(dir, { recursive: true });
  copyFileSync(join(projectDir, "package.json"), join(dir, "package.json"));
  await build({ config: join(projectDir, "tsup.config.ts"), outDir: join(dir, "dist"), silent: true, clean: false });
  return join(dir, "dist", "cli", "main.js");
}
