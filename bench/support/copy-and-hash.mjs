import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { settleDisk } from "./page-sync.mjs";

const HASHES = {
  sha: (path) => execFileSync("sha256sum", [path]),
  blake: (path) => execFileSync(process.execPath, [HASH_FILE, path, "whole"]),
};
const HASH_FILE = fileURLToPath(new URL("hash-file.mjs", import.meta.url));

/** Copies a file on the same disk, has the copy written to the disk, and hashes the copy, one after the other. @param hash `sha` or `blake` */
export function copyAndHash(from, to, hash) {
  settleDisk();
  const start = performance.now();
  execFileSync("cp", [from, to]);
  execFileSync("sync", [to]);
  HASHES[hash](to);
  return { ms: performance.now() - start, bytes: statSync(from).size };
}
