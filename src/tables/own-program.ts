import { createRequire } from "node:module";
import { ReplicaError } from "../errors.js";

/**
 * The file of a program of this package that runs in a thread or process of its own.
 * @param name as `imports` in package.json has it.
 * @throws `WORKER_FAILED` where the package is not beside its code any more.
 */
export function findOwnProgram(name: "#table-worker" | "#query-worker", what: string): string {
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
