import type Database from "better-sqlite3";
import type Pg from "pg";
import type Cursor from "pg-cursor";
import { ReplicaError } from "../errors.js";

/** An optional peer that is loaded on first use. */
export type DriverName = "better-sqlite3" | "pg" | "pg-cursor";

/**
 * The driver's module, loaded on first use.
 * @throws `MISSING_DRIVER` where the package is not installed or cannot run here, with the command that mends it as hint.
 */
export async function loadDriver(name: "better-sqlite3"): Promise<typeof Database>;
export async function loadDriver(name: "pg"): Promise<typeof Pg>;
export async function loadDriver(name: "pg-cursor"): Promise<typeof Cursor>;
export async function loadDriver(name: DriverName): Promise<typeof Database | typeof Pg | typeof Cursor> {
  try {
    switch (name) {
      case "better-sqlite3":
        return probe((await import("better-sqlite3")).default);
      case "pg":
        return (await import("pg")).default;
      case "pg-cursor":
        return (await import("pg-cursor")).default;
    }
  } catch (error) {
    throw mapLoadError(error, name);
  }
}

/** Its native part is only loaded with the first database: a build for another Node must show here, not in the middle of a task. */
function probe(driver: typeof Database): typeof Database {
  new driver(":memory:").close();
  return driver;
}

function mapLoadError(error: unknown, name: DriverName): ReplicaError {
  if (isNotFound(error, name)) {
    return new ReplicaError("MISSING_DRIVER", `The package "${name}" is not installed`, {
      hint: `npm install ${name}`,
      cause: error,
    });
  }
  const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  return new ReplicaError("MISSING_DRIVER", `The package "${name}" is installed but cannot be loaded: ${reason}`, {
    hint: name === "better-sqlite3" ? "npm rebuild better-sqlite3" : `npm install ${name}`,
    cause: error,
  });
}

/** A package that is there but misses one of its own has the same code, so the name counts too. */
function isNotFound(error: unknown, name: DriverName): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  if (error.code !== "ERR_MODULE_NOT_FOUND" && error.code !== "MODULE_NOT_FOUND") return false;
  return new RegExp(`Cannot find (package|module) '${name}'`).test(error.message);
}
