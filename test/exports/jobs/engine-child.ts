import { createInterface } from "node:readline";
import type { EngineOptions, ExportEngine } from "../../../src/exports/jobs/export-engine.js";
import { createWorkerExportEngine } from "../../../src/exports/jobs/export-engine-client.js";

/** Runs export jobs as its argument says (JSON of the options), and calls the engine's methods for lines of stdin. There to be killed. */
const options = JSON.parse(process.argv[2] ?? "{}") as EngineOptions;

function say(what: string, value: unknown): void {
  process.stdout.write(`${what} ${JSON.stringify(value)}\n`);
}

const engine = createWorkerExportEngine(options, (job) => say("job", { ms: process.uptime() * 1_000, ...job }));

function plain(error: unknown): unknown {
  return error instanceof Error ? { ...error, message: error.message } : error;
}

await engine.open().then(
  () => say("opened", process.uptime() * 1_000),
  (error: unknown) => say("refused", plain(error)),
);

for await (const line of createInterface({ input: process.stdin })) {
  const { method, args } = JSON.parse(line) as { method: keyof ExportEngine; args: unknown[] };
  if ((method as string) === "leave") break;
  const call = engine[method] as (...args: unknown[]) => Promise<unknown>;
  void call(...args).then(
    (value) => say(`${method} gave`, value ?? null),
    (error: unknown) => say(`${method} failed`, plain(error)),
  );
}
// What keeps the process alive from here on is the engine's doing.
process.stdin.destroy();
