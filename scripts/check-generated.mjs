// The code in src/pages/admin/gen is what `npm run generate` makes of proto/, and the .proto files follow buf's rules. Needs no network.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const OUT = "src/pages/admin/gen";

function buf(...args) {
  const { status, error } = spawnSync(process.execPath, ["node_modules/@bufbuild/buf/bin/buf", ...args], {
    stdio: "inherit",
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function filesIn(folder) {
  if (!existsSync(folder)) return new Map();
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".ts"));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

buf("lint");
const scratch = mkdtempSync(join(tmpdir(), "generated-"));
const mistakes = [];
try {
  buf("generate", "-o", scratch);
  const fresh = filesIn(join(scratch, OUT));
  const committed = filesIn(OUT);
  if (fresh.size === 0) mistakes.push("nothing was generated");
  for (const [name, text] of fresh) {
    if (committed.get(name) !== text) mistakes.push(`${OUT}/${name} is not current`);
  }
  for (const name of committed.keys()) {
    if (!fresh.has(name)) mistakes.push(`${OUT}/${name} comes from no .proto file`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
for (const mistake of mistakes) console.error(`${mistake}: run \`npm run generate\``);
if (mistakes.length > 0) process.exit(1);
