import { suggestion } from "../../config/nearest-name.js";
import type { Output } from "../demo/terminal.js";
import { UsageError } from "../usage-error.js";
import type { PageRun } from "./page-run.js";
import { PAGE_USAGE, type PageCommand } from "./page-usage.js";

/**
 * A command at a page server: `signup`, `login`, `whoami`, `oauth`, `db` and `sync`.
 * @returns whether all went well; what did not has been told
 * @throws UsageError
 */
export async function runPages(command: PageCommand, args: readonly string[], output: Output): Promise<boolean> {
  if (args.some((arg) => arg === "--help" || arg === "-h") || args[0] === "help") {
    output.stdout.write(PAGE_USAGE[command]);
    return true;
  }
  try {
    const found = await find(command);
    if (typeof found === "function") return await found(args, output);
    return await pick(command, found, args[0])(args.slice(1), output);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(error.message, error.usage ?? PAGE_USAGE[command]);
    throw error;
  }
}

/** Each is loaded for itself. */
async function find(command: PageCommand): Promise<PageRun | Readonly<Record<string, PageRun>>> {
  if (command === "db") return (await import("./db-commands.js")).DB_COMMANDS;
  if (command === "oauth") return (await import("./oauth-commands.js")).OAUTH_COMMANDS;
  if (command === "sync") return (await import("./sync-commands.js")).SYNC_COMMANDS;
  return (await import("./account-commands.js")).ACCOUNT_COMMANDS[command];
}

function pick(command: PageCommand, commands: Readonly<Record<string, PageRun>>, name: string | undefined): PageRun {
  if (name === undefined) throw new UsageError(`${command} what? ${Object.keys(commands).join(", ")}`);
  const run = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (run !== undefined) return run;
  const what = name.startsWith("-") ? "flag" : "command";
  const known = what === "flag" ? ["--help"] : Object.keys(commands);
  throw new UsageError(`unknown ${what} "${name}": ${suggestion(name, known)}`);
}
