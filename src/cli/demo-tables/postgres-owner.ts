import { execFileSync } from "node:child_process";
import { realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Whom PostgreSQL runs as. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user that PostgreSQL is to run as, or `undefined` for whoever runs us: it refuses to run as root.
 * @throws Error where root has nobody to run it as
 */
export function postgresOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // No such user.
    }
  }
  throw new Error(
    "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as: run this as another user",
  );
}

/** Whether everybody may enter this folder and all above it. */
export function isOpenToAll(path: string): boolean {
  for (let dir = realpathSync(path); ; dir = dirname(dir)) {
    if ((statSync(dir).mode & 0o001) === 0) return false;
    if (dir === dirname(dir)) return true;
  }
}
