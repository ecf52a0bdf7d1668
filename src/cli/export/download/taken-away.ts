import { CliError } from "../../cli-error.js";
import { printable } from "../../printable.js";

/** Two downloads into the same file. */
export function takenAway(part: string): CliError {
  return new CliError("LOCAL_FILE", `another process has taken ${printable(part)} away`, {
    hint: "Choose another file with -o FILE.",
  });
}
