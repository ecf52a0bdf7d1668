import type { ProgressLine } from "./progress-facts.js";

const EVERY_MS = 1_000;

/** Progress for programs: JSON objects, one a line, at most one a second of `"event": "progress"` but always the last. */
export function createJsonLines(
  stream: Pick<NodeJS.WriteStream, "write">,
  now: () => number = () => performance.now(),
): ProgressLine {
  let written = "";
  let waiting = "";
  let writtenAt = Number.NEGATIVE_INFINITY;
  const write = (line: string): void => {
    waiting = "";
    if (line === written) return;
    written = line;
    writtenAt = now();
    stream.write(`${line}\n`);
  };
  return {
    show({ data }) {
      waiting = JSON.stringify({ event: "progress", ...data });
      if (now() - writtenAt >= EVERY_MS) write(waiting);
    },
    say(_, data) {
      stream.write(`${JSON.stringify(data)}\n`);
    },
    end() {
      if (waiting !== "") write(waiting);
      written = "";
      writtenAt = Number.NEGATIVE_INFINITY;
    },
  };
}
