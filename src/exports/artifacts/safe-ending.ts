import { extname } from "node:path";

/** The ending of a file's name with its dot, in small letters; empty where it has none that is safe in every path and key. */
export function safeEnding(fileName: string): string {
  const ending = extname(fileName).toLowerCase();
  return /^\.[a-z0-9]{1,16}$/.test(ending) ? ending : "";
}
