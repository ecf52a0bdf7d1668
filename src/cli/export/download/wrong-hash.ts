import { CliError } from "../../cli-error.js";

/** @param consequence what has become of what arrived */
export function wrongHash(digest: string, expected: string, consequence: string): CliError {
  return new CliError("WRONG_HASH", `what arrived is not what the job made: SHA-256 ${digest}, not ${expected}`, {
    hint: `${consequence} Where it stays so, the server's file is damaged: start another job.`,
  });
}
