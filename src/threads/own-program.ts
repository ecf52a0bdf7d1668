import { createRequire } from "node:module";
import { ReplicaError } from "../errors.js";

/** As `imports` in package.json names them. */
type OwnProgram =
  | "#table-worker"
  | "#query-worker"
  | "#export-worker"
  | "#dump-worker"
  | "#page-worker"
  | "#account-worker";

/**
 * The file of a program of this package that runs in a thread or process of its own.
 * @throws `WORKER_FAILED` where the package is not beside its code any more.
 */
export function findOwnProgram(name: OwnProgram, what: string): string {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    throw new ReplicaError("WORKER_FAILED", `${what}: ${reason}`, {
      hint: "Where a bundler made this program, tell it to leave the package starfish-replica external, and install the package beside it.",
      cause: error,
    });
  }
}
