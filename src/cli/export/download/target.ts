import { createHash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import { CliError } from "../../cli-error.js";
import { printable } from "../../printable.js";
import { hashFile } from "./hash-file.js";

/**
 * Looks at what stands where the download would go.
 * @returns whether it is the very file already
 * @throws CliError `TARGET_EXISTS` for anything else, unless that may be replaced
 */
export async function verifyTarget(
  target: string,
  artifact: { readonly bytes: number; readonly sha256: string },
  options: { readonly force: boolean; readonly onRead: (bytes: number) => void; readonly signal: AbortSignal },
): Promise<boolean> {
  const found = await stat(target).catch(() => null);
  if (found === null) return false;
  if (found.isFile() && found.size === artifact.bytes) {
    const file = await open(target, "r");
    try {
      const hash = createHash("sha256");
      await hashFile(file, hash, options.onRead, options.signal);
      if (hash.digest("hex") === artifact.sha256) return true;
    } finally {
      await file.close();
    }
  }
  if (options.force && found.isFile()) return false;
  throw targetExists(target);
}

export function targetExists(target: string): CliError {
  return new CliError("TARGET_EXISTS", `${printable(target)} is there already`, {
    hint: "--force replaces it; -o FILE puts the download elsewhere.",
  });
}
