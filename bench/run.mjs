/**
 * npm run bench                            all scenarios, all rounds; writes docs/benchmarks.md
 * npm run bench -- --only NAME             one scenario, or all whose names begin with NAME- (may be repeated); prints only
 * npm run bench -- --only NAME --record    the same, and replaces their sections in docs/benchmarks.md
 * npm run bench -- --quick                 two short rounds of each; prints only
 * npm run bench -- --profile               with a CPU profile of each round in bench/.tmp; prints only
 */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { section, writeDocument } from "./support/document.mjs";
import { prepare } from "./support/prepare.mjs";
import { verifyPrograms } from "./support/programs.mjs";
import { compare, table } from "./support/report.mjs";
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
  "tables-first-copy",
  "tables-upsert",
  "tables-memory",
  "tables-event-loop",
  "tables-digest",
  "export-sql",
  "export-csv",
  "export-json",
  "export-job",
  "export-writers",
  "pages-first-sync",
  "pages-unchanged",
  "pages-changes",
  "pages-memory",
];

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    record: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
  },
});
const { quick, only, profile } = options;
if (options.record && (quick || profile))
  throw new Error("--record keeps full rounds alone: not with --quick or --profile");
const matches = (name, wanted) => name === wanted || name.startsWith(`${wanted}-`);
for (const wanted of only) {
  if (!ORDER.some((name) => matches(name, wanted)))
    throw new Error(`There is no scenario "${wanted}": ${ORDER.join(", ")}`);
}
const names = ORDER.filter((name) => only.length === 0 || only.some((wanted) => matches(name, wanted)));
const record = options.record || (only.length === 0 && !quick && !profile);

const profileDir = profile ? fileURLToPath(new URL(".tmp", import.meta.url)) : undefined;
if (profileDir) mkdirSync(profileDir, { recursive: true });

prepare();
const scenarios = new Map();
for (const name of ORDER) scenarios.set(name, (await import(`./scenarios/${name}.mjs`)).scenario);
// Before minutes are spent.
const programs = new Map(names.map((name) => [name, verifyPrograms(scenarios.get(name).programs ?? [])]));

const started = performance.now();
const sections = new Map();
for (const name of names) {
  const begun = performance.now();
  const scenario = scenarios.get(name);
  const onRound = (what) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${name} ${what}` : "");
  const run = () => runScenario(name, scenario, { quick, profileDir, onRound });
  // Once more where something on the machine got in the way, a port that was taken for instance: minutes of work hang on it.
  const { values, parts } = await run().catch((error) => {
    console.error(`${name} is begun again: ${error.message}`);
    return run();
  });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const lines = scenario.measures.map((measure) => compare(measure, values, scenario.versus));
  sections.set(scenario.title, section(scenario, lines, [...parts, ...programs.get(name)]));
  console.log(`\n${scenario.title}\n${table(scenario, lines)}\n${((performance.now() - begun) / 1000).toFixed(0)} s`);
}
console.log(`\n${((performance.now() - started) / 60_000).toFixed(1)} minutes`);

if (record) {
  const titles = [...scenarios.values()].map(({ title }) => title);
  writeDocument(sections, titles);
  console.log("docs/benchmarks.md is written");
}
