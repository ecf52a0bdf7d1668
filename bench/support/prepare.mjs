import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const bench = fileURLToPath(new URL("..", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Installs the peer where it is missing, and builds ours into `bench/dist`: there it finds the starfish-server that the peer is pinned
 * to, so that both run on the same one. Beside it the PostgreSQL of the tests, for the scenarios about tables.
 */
export function prepare() {
  if (!existsSync(new URL("../node_modules/@drakkar.software/starfish-replica", import.meta.url))) {
    run("npm", ["ci", "--no-audit", "--no-fund"], bench);
  }
  rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });
  run(process.execPath, ["node_modules/tsup/dist/cli-default.js", "--silent", "--out-dir", "bench/dist"], root);
  buildSync({
    absWorkingDir: root,
    entryPoints: ["test/support/postgres-cluster.ts"],
    outdir: "bench/dist/support",
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
  });
}

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(" ")} ended with ${status}`);
}
