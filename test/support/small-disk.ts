import { execFileSync } from "node:child_process";
import { atEnd } from "./at-end.js";
import { tempDir } from "./temp-dir.js";

/** A disk of its own with room for so many MiB, unmounted when the test ends; `null` where this user may not mount one (say so in `skip`). */
export function mountSmallDisk(sizeMb: number): string | null {
  const folder = tempDir();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMb}m`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return null;
  }
  atEnd(() => {
    try {
      execFileSync("umount", ["-l", folder], { stdio: "ignore" });
    } catch {
      // Unmounted already: cleanups may run twice.
    }
  });
  return folder;
}
