import { errorText } from "../control/error-answer.js";
import { CliError } from "./cli-error.js";
import type { Output } from "./demo/terminal.js";
import { createJsonLines } from "./progress/json-lines.js";
import { createLogLines } from "./progress/log-lines.js";
import type { ProgressFacts, ProgressLine } from "./progress/progress-facts.js";
import { createTerminalLine } from "./progress/terminal-line.js";

/** What a machine is told in place of a message. */
type Event = Readonly<Record<string, unknown>> & { readonly event: string };

/**
 * What a command tells. Results go to stdout and everything else to stderr, so that `X=$(command)` gets the result alone. With `--json` every line
 * of both is a JSON object.
 */
export interface Report {
  readonly json: boolean;
  /** What was asked for. */
  result(text: string, data: unknown): void;
  progress(facts: ProgressFacts): void;
  /** Something worth knowing on the way. */
  note(text: string, event: Event): void;
  /** What it failed with. */
  failure(error: unknown): void;
  /** Takes the progress away; whoever goes on shows it anew. */
  end(): void;
}

/** @param quiet leaves out progress: for a command whose stdout has the terminal to itself */
export function createReport(
  { stdout, stderr }: Output,
  { json, quiet = false }: { readonly json: boolean; readonly quiet?: boolean },
): Report {
  const line = createLine(stderr, json, quiet);
  return {
    json,
    result: (text, data) => void stdout.write(`${json ? JSON.stringify(data) : text}\n`),
    progress: (facts) => {
      if (!quiet) line.show(facts);
    },
    note: (text, event) => line.say(text, event),
    failure(error) {
      line.end();
      const { code, message } = explained(error);
      line.say(`starfish-replica: ${message}`, { event: "error", code, error: message });
    },
    end: () => line.end(),
  };
}

function createLine(stderr: NodeJS.WriteStream, json: boolean, quiet: boolean): ProgressLine {
  if (json) return createJsonLines(stderr);
  const live = stderr.isTTY === true && process.env.TERM !== "dumb" && !quiet;
  return live ? createTerminalLine(stderr, process.env) : createLogLines(stderr);
}

function explained(error: unknown): { code: string; message: string } {
  if (error instanceof CliError) return { code: error.code, message: errorText(error) };
  return { code: "FAILED", message: error instanceof Error ? error.message : String(error) };
}
