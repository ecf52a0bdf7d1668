import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";

const projectDir = fileURLToPath(new URL("../..", import.meta.url));
// Inside node_modules, so that the bundle finds the project's packages.
const outDir = join(projectDir, "node_modules", ".cache", "starfish-replica-test");
const built = new Map<string, Promise<string>>();

/**
 * Bundles a TypeScript (or JavaScript) module and what it imports of ours into one ES module that `node` runs, once per test file, and
 * resolves with its path. `entry` is absolute or relative to the project. Packages stay imports and are the project's own. In the bundle
 * `import.meta.url` is the bundle's: a module that looks for files beside itself does not find them.
 */
export function buildOnce(entry: string): Promise<string> {
  const path = resolve(projectDir, entry);
  return remember(path, basename(path), { entryPoints: [path] });
}

/** Like {@link buildOnce} for a piece of TypeScript given as text; its relative imports start from the project's folder. */
export function buildSnippet(source: string): Promise<string> {
  return remember(source, "snippet", { stdin: { contents: source, resolveDir: projectDir, loader: "ts" } });
}

function remember(key: string, name: string, options: BuildOptions): Promise<string> {
  let result = built.get(key);
  if (result === undefined) {
    const id = createHash("sha256").update(key).digest("hex").slice(0, 12);
    result = bundle(join(outDir, `${name.replace(/\.\w+$/, "")}-${id}.mjs`), options);
    built.set(key, result);
  }
  return result;
}

async function bundle(outFile: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    ...options,
    absWorkingDir: projectDir,
    bundle: true,
    write: false,
    outfile: outFile,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "silent",
  });
  // In one step: another test file may be starting the same bundle right now.
  const unfinished = `${outFile}.${process.pid}`;
  await mkdir(outDir, { recursive: true });
  await writeFile(unfinished, outputFiles?.[0]?.contents ?? "");
  await rename(unfinished, outFile);
  return outFile;
}
