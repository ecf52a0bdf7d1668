import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { median } from "../support/statistics.mjs";

const here = fileURLToPath(new URL("..", import.meta.url));
const SERVER = "@drakkar.software/starfish-server";

export const scenario = {
  title: "Importing the root entry",
  how: "a fresh `node` for each import; what it takes beyond importing starfish-server alone (median of a round's pairs). Size: bundled and minified, packages left out",
  rounds: 5,
  measures: [
    { key: "extraMs", label: "more than starfish-server alone", unit: "ms", better: "less", target: { max: 15 } },
    {
      key: "minifiedBytes",
      label: "minified, without dependencies",
      unit: "B",
      better: "less",
      target: { max: 60_000 },
    },
  ],
  async run({ specifier, quick }) {
    const extras = [];
    importMs(SERVER);
    importMs(specifier);
    for (let pair = 0; pair < (quick ? 3 : 5); pair += 1) extras.push(importMs(specifier) - importMs(SERVER));
    return { extraMs: median(extras), minifiedBytes: await minifiedBytes(specifier) };
  },
};

function importMs(specifier) {
  const code = `const start = performance.now(); await import(${JSON.stringify(specifier)}); console.log(performance.now() - start);`;
  const child = spawnSync(process.execPath, ["--input-type=module", "--eval", code], { cwd: here, encoding: "utf8" });
  if (child.status !== 0) throw new Error(child.stderr);
  return Number(child.stdout);
}

/** What importing the entry loads: chunks that load on first use do not count. */
async function minifiedBytes(specifier) {
  const entry = fileURLToPath(import.meta.resolve(specifier));
  const { metafile } = await build({
    entryPoints: [entry],
    outdir: "out",
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    legalComments: "none",
    logLevel: "silent",
  });
  const loaded = new Set();
  const load = (path) => {
    const output = metafile.outputs[path];
    if (!output || loaded.has(path)) return;
    loaded.add(path);
    for (const { path: imported, kind } of output.imports) if (kind === "import-statement") load(imported);
  };
  load(Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint));
  return [...loaded].reduce((sum, path) => sum + metafile.outputs[path].bytes, 0);
}
