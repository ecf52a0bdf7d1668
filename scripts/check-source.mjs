// House rules that the linter cannot check. See CONTRIBUTING.md, "Files".
import { readdirSync, readFileSync } from "node:fs";

const MAX_EXPORTS = 3;
/** See check-generated.mjs. */
const GENERATED = "src/pages/admin/gen/";
/** Public entries may export as much as they need, and no other file may pass on what it does not own. */
const ENTRIES = new Set([
  "src/index.ts",
  "src/exports/index.ts",
  "src/feeds/index.ts",
  "src/pages/index.ts",
  "src/tables/index.ts",
]);

/** Catalogues and seams: one thing that has many parts. */
const WHOLE = new Set([
  "src/errors.ts",
  "src/config.ts",
  "src/protocol/wire.ts",
  "src/exports/artifacts/artifact-store.ts",
  "src/exports/export-job.ts",
  "src/pages/accounts/accounts.ts",
  "src/pages/page-client.ts",
  "src/pages/protocol/frame.ts",
  "src/pages/protocol/wire-names.ts",
  "src/pages/server/sync-endpoint.ts",
  "src/pages/session/client-session.ts",
  "src/pages/session/server-session.ts",
  "src/pages/store/page-store.ts",
  "src/tables/copy/table-engine.ts",
  "src/tables/sources/table-source.ts",
  "src/tables/tasks/table-task.ts",
]);

const mistakes = [];
for (const name of readdirSync("src", { recursive: true })) {
  if (!name.endsWith(".ts")) continue;
  const file = `src/${name.replaceAll("\\", "/")}`;
  if (file.startsWith(GENERATED)) continue;
  const text = readFileSync(file, "utf8");
  const say = (what) => mistakes.push(`${file}: ${what}`);
  const exports = text.match(/^export (?!\{|\*)/gm)?.length ?? 0;
  const limit = WHOLE.has(file) ? Number.POSITIVE_INFINITY : MAX_EXPORTS;
  if (exports > limit && !ENTRIES.has(file)) say(`${exports} exports, at most ${MAX_EXPORTS}`);
  if (/^export (\*|\{[^}]*\} from)/m.test(text) && !ENTRIES.has(file)) say("a barrel: only public entries are");
  if (/\bprocess\.exit\b/.test(text) && !file.startsWith("src/cli/")) say("process.exit outside the CLI");
  if (/(^|\/)(utils|types|helpers)\.ts$/.test(file)) say("a name that says nothing");
}
for (const mistake of mistakes) console.error(mistake);
if (mistakes.length > 0) process.exit(1);
