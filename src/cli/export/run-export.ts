import { suggestion } from "../../config/nearest-name.js";
import type { Output } from "../demo/terminal.js";
import { UsageError } from "../usage-error.js";
import { cancel } from "./cancel.js";
import { download } from "./download-command.js";
import { EXPORT_USAGE } from "./export-usage.js";
import { start } from "./start.js";
import { status } from "./status.js";

const COMMANDS = { start, status, download, cancel } as const;

/**
 * The command `export`.
 * @returns whether all went well; what did not has been told
 * @throws UsageError
 */
export async function runExport(args: readonly string[], output: Output): Promise<boolean> {
  const [name, ...rest] = args;
  if (name === undefined) throw new UsageError("export what?", EXPORT_USAGE[""]);
  if (["--help", "-h", "help"].includes(name)) return help(rest[0] ?? "", output);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name as keyof typeof COMMANDS] : undefined;
  if (command === undefined) {
    const what = name.startsWith("-") ? "flag" : "command";
    const known = what === "flag" ? ["--help"] : Object.keys(COMMANDS);
    throw new UsageError(`unknown ${what} "${name}": ${suggestion(name, known)}`, EXPORT_USAGE[""]);
  }
  if (rest.includes("--help") || rest.includes("-h")) return help(name, output);
  try {
    return await command(rest, output);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(error.message, EXPORT_USAGE[name]);
    throw error;
  }
}

function help(name: string, { stdout }: Output): boolean {
  const usage = Object.hasOwn(EXPORT_USAGE, name) ? EXPORT_USAGE[name] : EXPORT_USAGE[""];
  stdout.write(usage ?? "");
  return true;
}
