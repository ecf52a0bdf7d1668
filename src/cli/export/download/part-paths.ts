import { rm } from "node:fs/promises";
import { readNote } from "./part-note.js";

/** What stands beside a file that is on its way. */
export function partPaths(target: string): { readonly part: string; readonly note: string } {
  return { part: `${target}.part`, note: `${target}.part.json` };
}

/** Removes what a download of `target` left, if it is ours. */
export async function removePart(target: string): Promise<void> {
  const { part, note } = partPaths(target);
  if ((await readNote(note)) === null) return;
  await rm(part, { force: true });
  await rm(note, { force: true });
}
