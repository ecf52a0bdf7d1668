import { foldName } from "../../sqlite/identifier.js";

/** What the names of tables begin with that are filled beside the table they will replace. */
export const SHADOW_PREFIX = "_replication_shadow_";

const MAX_NAME_LENGTH = 200;

/** Why no copy can have this name, as the end of a sentence that begins with the name; `null` where it can. */
export function targetNameMistake(name: string): string | null {
  if (name.trim() === "") return "is empty";
  if (name.includes("\0")) return "has a NUL character in it";
  if (/\p{Surrogate}/u.test(name)) return "has half a character in it (a lone surrogate)";
  if (name.length > MAX_NAME_LENGTH) return `is longer than ${MAX_NAME_LENGTH} characters`;
  const folded = foldName(name);
  for (const prefix of ["sqlite_", "replication_", SHADOW_PREFIX]) {
    if (folded.startsWith(prefix)) return `begins with "${prefix}", which is reserved`;
  }
  return null;
}
