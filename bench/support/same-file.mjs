import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";

/** @returns the bytes of both. @throws where they are not the same */
export function sameFile(one, other) {
  execFileSync("cmp", [one, other]);
  return statSync(one).size;
}

/** The same, but for what SQLite changes of page 1 when it writes a file. @throws where they differ elsewhere */
export function sameContent(one, other) {
  execFileSync("cmp", ["--ignore-initial=4096", one, other]);
}
