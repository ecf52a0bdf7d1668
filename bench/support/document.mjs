import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { table } from "./report.mjs";

const DOCUMENT = new URL("../../docs/benchmarks.md", import.meta.url);
const FINDINGS = new URL("../findings.md", import.meta.url);
const FINDINGS_TITLE = "What stands behind the numbers";

/** One scenario's section, which says by itself when, on what and from which state of the code it comes. `parts`: what else it ran on. */
export function section(scenario, lines, parts) {
  const processors = cpus();
  const machine = `Node ${process.version}, ${process.platform} ${process.arch}, ${processors.length} cores (${processors[0]?.model.trim()})`;
  const when = new Date().toISOString().slice(0, 16).replace("T", " ");
  const stamp = [`Measured ${when} UTC`, codeState(), machine, ...parts].join("; ");
  return `## ${scenario.title}\n\n${scenario.rounds} rounds; ${scenario.how}.\n\n${table(scenario, lines)}\n\n${stamp}.`;
}

/**
 * Writes `docs/benchmarks.md`: these sections, and between them those of the document as it was whose scenarios were not run.
 * @param sections Markdown by the scenario's title
 * @param titles of all scenarios, in their order; a section with another title is dropped
 */
export function writeDocument(sections, titles) {
  const kept = existsSync(DOCUMENT) ? parseSections(readFileSync(DOCUMENT, "utf8")) : new Map();
  const parts = titles.map((title) => sections.get(title) ?? kept.get(title)).filter((part) => part !== undefined);
  writeFileSync(DOCUMENT, `${[head(), ...parts, readFileSync(FINDINGS, "utf8").trim()].join("\n\n")}\n`);
}

function parseSections(text) {
  const parts = text.split(/^(?=## )/m).slice(1);
  const titled = parts.map((part) => [part.slice(3, part.indexOf("\n")), part.trim()]);
  return new Map(titled.filter(([title]) => title !== FINDINGS_TITLE));
}

function head() {
  const { version: peer } = packageJson("../node_modules/@drakkar.software/starfish-replica/package.json");
  return `# Benchmarks

Written by \`npm run bench\`, which takes all scenarios, and \`npm run bench -- --only NAME --record\`, which takes some; do not edit. Each
section says when it was measured. What the numbers mean stands in \`bench/findings.md\` and is repeated at the end.

- "The peer" is \`@drakkar.software/starfish-replica\` ${peer}, which has the same API as our root entry: both run the very same program, on
  the same version of starfish-server. One real primary (starfish-server ${peer} over @hono/node-server, documents in memory, no
  compression) in another process serves both. Bytes and sockets are counted at the primary's sockets.
- Where tables are copied, a PostgreSQL of the benchmark's own (\`fsync=off\`, \`shared_buffers=256MB\`, tables that are warm in memory) serves all.
- Where files are synced page by page, the page server has a process of its own (\`createPageServer\` over @hono/node-server); each push and each pull has one, too, as
  always. \`sync\` runs before each measure, so that none waits for what another left to be written.
- Loopback, no TLS: a real network makes bytes and round trips count for more.
- Every round is a fresh process; who takes part takes turns, and who begins changes every round. One uncounted round of each goes first
  where that warms something up.
- Numbers are the median of the rounds, in brackets the middle half. "Better by" is the ratio of the medians, above 1 where ours is better.`;
}

/** The version, and the commit that was measured. */
function codeState() {
  const { version } = packageJson("../../package.json");
  const git = (...args) => spawnSync("git", args, { cwd: new URL(".", import.meta.url), encoding: "utf8" });
  const commit = git("rev-parse", "--short", "HEAD");
  if (commit.status !== 0) return `starfish-replica ${version}`;
  const changed = git("status", "--porcelain", "--", ":/src").stdout.trim() !== "";
  return `starfish-replica ${version}, commit ${commit.stdout.trim()}${changed ? " with changes" : ""}`;
}

function packageJson(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}
