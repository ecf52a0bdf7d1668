/**
 * npm run bench                   all scenarios, all rounds; writes docs/benchmarks.md
 * npm run bench -- --quick        two short rounds of each; prints only
 * npm run bench -- --only NAME    one scenario (may be repeated); prints only
 * npm run bench -- --profile      with a CPU profile of each round in bench/.tmp; prints only
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { prepare } from "./support/prepare.mjs";
import { compare, page, table } from "./support/report.mjs";
import { runScenario } from "./support/run-scenario.mjs";

const ORDER = [
  "unchanged-poll",
  "changed-document",
  "thousand-collections",
  "thousand-small-collections",
  "on-pull-stampede",
  "signed-requests",
  "passphrase-bootstrap",
  "push-through",
  "import-time",
  "memory",
  "write-to-visible",
  "outbox",
  "feed-subscribers",
  "outage",
];

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    profile: { type: "boolean", default: false },
  },
});
const known = readdirSync(new URL("scenarios", import.meta.url)).map((file) => file.replace(/\.mjs$/, ""));
for (const name of options.only) {
  if (!known.includes(name)) throw new Error(`There is no scenario "${name}": ${known.join(", ")}`);
}
const names = ORDER.filter((name) => options.only.length === 0 || options.only.includes(name));

const profileDir = options.profile ? fileURLToPath(new URL(".tmp", import.meta.url)) : undefined;
if (profileDir) mkdirSync(profileDir, { recursive: true });

prepare();
const started = performance.now();
const sections = [];
for (const name of names) {
  const begun = performance.now();
  const { scenario } = await import(`./scenarios/${name}.mjs`);
  const onRound = (what) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${name} ${what}` : "");
  const run = () => runScenario(name, scenario, { quick: options.quick, profileDir, onRound });
  // Once more where something on the machine got in the way, a port that was taken for instance: minutes of work hang on it.
  const values = await run().catch((error) => {
    console.error(`${name} is begun again: ${error.message}`);
    return run();
  });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const lines = scenario.measures.map((measure) =>
    compare(measure, values.ours[measure.key], values.theirs[measure.key]),
  );
  sections.push({ scenario, lines });
  console.log(`\n${scenario.title}\n${table(lines)}\n${((performance.now() - begun) / 1000).toFixed(0)} s`);
}
const minutes = ((performance.now() - started) / 60_000).toFixed(1);
console.log(`\n${minutes} minutes`);

if (!options.quick && !options.profile && options.only.length === 0) {
  writeFileSync(new URL("../docs/benchmarks.md", import.meta.url), page(sections, minutes));
  console.log("docs/benchmarks.md is written");
}
