import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CliError } from "../../cli-error.js";
import { printable } from "../../printable.js";

/** Where a download goes: a file, or a folder in which it has the server's name. */
export type Destination = { readonly file: string } | { readonly folder: string };

/** @param out as typed; the current folder where nothing was */
export async function findDestination(out: string | undefined): Promise<Destination> {
  if (out === undefined) return { folder: "" };
  const found = await stat(out).catch(() => null);
  if (found?.isDirectory()) return { folder: out };
  if (found === null) {
    const folder = /[/\\]$/.test(out) ? out : dirname(out);
    const parent = await stat(folder).catch(() => null);
    if (!parent?.isDirectory()) throw new CliError("LOCAL_FILE", `there is no folder ${printable(folder)}`);
  } else if (!found.isFile()) {
    throw new CliError("LOCAL_FILE", `${printable(out)} is no file`, { hint: "-o - writes to standard output." });
  }
  return { file: out };
}

export function nameIn(destination: Destination, name: string): string {
  return "file" in destination ? destination.file : join(destination.folder, name);
}
