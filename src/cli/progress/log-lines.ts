import type { ProgressFacts, ProgressLine } from "./progress-facts.js";
import { progressSentence } from "./progress-text.js";
import { createRate } from "./rate.js";

const FIRST_AFTER_MS = 1_000;
const EVERY_MS = 5_000;

/** Progress for a log: a line after a second, then one every five seconds while there is something new. A short job needs none. */
export function createLogLines(
  stream: Pick<NodeJS.WriteStream, "write">,
  now: () => number = () => performance.now(),
): ProgressLine {
  let rate = createRate(now);
  let shown = "";
  let label: string | null = null;
  let dueAt = 0;
  return {
    show(facts: ProgressFacts) {
      if (facts.label !== label) {
        label = facts.label;
        rate = createRate(now);
        dueAt = now() + FIRST_AFTER_MS;
      }
      rate.add(facts.done);
      if (now() < dueAt) return;
      const what = `${facts.label} ${facts.done} ${facts.details?.join()}`;
      if (what === shown) return;
      shown = what;
      dueAt = now() + EVERY_MS;
      stream.write(`${progressSentence(facts, rate.perSecond())}\n`);
    },
    say(text) {
      stream.write(`${text}\n`);
    },
    end() {
      label = null;
    },
  };
}
