#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { suggestion } from "../config/nearest-name.js";
import { isPageCommand } from "./pages/page-usage.js";
import { COMMANDS, GLOBAL_FLAGS, USAGE } from "./usage.js";
import { UsageError } from "./usage-error.js";

/** Exit codes, as `--help` tells them. */
const EXIT = { ok: 0, failed: 1, wrongUsage: 2 } as const;

async function run([command, ...args]: readonly string[]): Promise<number> {
  if (command === undefined) throw new UsageError("a command is missing");
  if (["help", "--help", "-h"].includes(command)) return print(USAGE);
  if (["--version", "-v"].includes(command)) return print(`${version()}\n`);
  if (command === "demo") {
    if (args.includes("--help") || args.includes("-h")) return print(USAGE);
    return (await runDemoOf(args)) ? EXIT.ok : EXIT.failed;
  }
  if (command === "export") {
    const { runExport } = await import("./export/run-export.js");
    return (await runExport(args, process)) ? EXIT.ok : EXIT.failed;
  }
  if (isPageCommand(command)) {
    const { runPages } = await import("./pages/run-pages.js");
    return (await runPages(command, args, process)) ? EXIT.ok : EXIT.failed;
  }
  const [what, known] = command.startsWith("-") ? ["flag", GLOBAL_FLAGS] : ["command", COMMANDS];
  throw new UsageError(`unknown ${what} "${command}": ${suggestion(command, known)}`);
}

/** Each is loaded for itself: the servers are no part of what `--help` needs. */
async function runDemoOf(args: readonly string[]): Promise<boolean> {
  const [topic, ...rest] = args;
  if (topic === undefined || topic.startsWith("-")) {
    const { runDemo } = await import("./demo/run-demo.js");
    return await runDemo(args, process);
  }
  if (topic !== "tables") {
    throw new UsageError(`unexpected argument "${topic}": ${suggestion(topic, ["tables"])}`);
  }
  const { runDemoTables } = await import("./demo-tables/run-demo-tables.js");
  return await runDemoTables(rest, process);
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.ok;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return String((manifest as { version?: unknown }).version);
}

function explain(error: unknown): number {
  const reason = error instanceof Error ? error.message : String(error);
  if (!(error instanceof UsageError)) {
    process.stderr.write(`starfish-replica: ${reason}\n`);
    return EXIT.failed;
  }
  process.stderr.write(`starfish-replica: ${reason}\n\n${error.usage ?? USAGE}`);
  return EXIT.wrongUsage;
}

// Whoever reads our messages may go before us; the work goes on.
process.stderr.on("error", () => {});

const args = process.argv.slice(2);
// Whoever read our output has gone, as after `| head`: that is no failure, unless it was to have a whole file.
const isWanted = args[0] === "export" && args[1] === "download";
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" && !isWanted ? EXIT.ok : EXIT.failed),
);

const code = await run(args).catch(explain);
// Not by itself: a starfish-server keeps a timer for five seconds after each signed request.
process.stdout.write("", () => process.exit(code));
