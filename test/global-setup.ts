import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsup";

const projectDir = fileURLToPath(new URL("..", import.meta.url));
const dist = join(projectDir, "dist");
const cache = join(projectDir, "node_modules", ".cache", "starfish-replica-test");

/**
 * Worker threads run JavaScript, also in tests: `dist` is brought up to date once before a run. Files are put in place one by one, parts
 * before those who import them, and none is taken away, so that whoever is using `dist` meanwhile never meets a gap.
 */
export default async function setup(): Promise<void> {
  const staging = join(cache, `dist-${process.pid}`);
  await mkdir(staging, { recursive: true });
  try {
    await build({ config: join(projectDir, "tsup.config.ts"), outDir: staging, silent: true, clean: false });
    const built = (await readdir(staging, { recursive: true })).filter((name) => /\.(js|map)$/.test(name));
    const rank = (name: string): number => (name.endsWith(".map") ? 0 : name.includes("/") ? 2 : 1);
    for (const name of built.sort((a, b) => rank(a) - rank(b))) {
      await mkdir(dirname(join(dist, name)), { recursive: true });
      await rename(join(staging, name), join(dist, name));
    }
    await sweep(new Set(built));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  await linkWorkers();
}

/** Takes away what earlier builds left, once nobody can be using it any more. */
async function sweep(built: ReadonlySet<string>): Promise<void> {
  const left = (await readdir(dist)).filter((name) => /\.js(\.map)?$/.test(name) && !built.has(name));
  for (const name of left) {
    const file = join(dist, name);
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > 3_600_000) await rm(file, { force: true });
  }
}

/** Programs that `buildOnce` bundles stand in the cache: `#table-worker` and the like must lead from there to `dist` too. */
async function linkWorkers(): Promise<void> {
  const { imports } = JSON.parse(await readFile(join(projectDir, "package.json"), "utf8"));
  const unfinished = join(cache, `package.json.${process.pid}`);
  await writeFile(unfinished, JSON.stringify({ type: "module", imports }));
  await rename(unfinished, join(cache, "package.json"));
  const link = join(cache, "dist");
  if (!existsSync(link)) await symlink(dist, link).catch(() => {});
}
