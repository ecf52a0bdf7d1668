import type * as S3 from "@aws-sdk/client-s3";
import type Database from "better-sqlite3";
import type Pg from "pg";
import { ReplicaError } from "../errors.js";

/** The optional peers, by name. */
interface Drivers {
  readonly "better-sqlite3": typeof Database;
  readonly pg: typeof Pg;
  readonly "@aws-sdk/client-s3": typeof S3;
}

// The names stand here as they are, so that bundlers see them.
const IMPORTS: { readonly [Name in keyof Drivers]: () => Promise<Drivers[Name]> } = {
  "better-sqlite3": async () => probe((await import("better-sqlite3")).default),
  pg: async () => (await import("pg")).default,
  "@aws-sdk/client-s3": async () => await import("@aws-sdk/client-s3"),
};

/**
 * The driver's module, loaded on first use.
 * @throws `MISSING_DRIVER` where the package is not installed or cannot run here, with the command that mends it as hint.
 */
export async function loadDriver<Name extends keyof Drivers>(name: Name): Promise<Drivers[Name]> {
  try {
    return await IMPORTS[name]();
  } catch (error) {
    throw mapLoadError(error, name);
  }
}

/** Its native part is only loaded with the first database: a build for another Node must show here, not in the middle of a task. */
function probe(driver: typeof Database): typeof Database {
  new driver(":memory:").close();
  return driver;
}

function mapLoadError(error: unknown, name: keyof Drivers): ReplicaError {
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
function isNotFound(error: unknown, name: keyof Drivers): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  if (error.code !== "ERR_MODULE_NOT_FOUND" && error.code !== "MODULE_NOT_FOUND") return false;
  return new RegExp(`Cannot find (package|module) '${name}'`).test(error.message);
}
