import type { Paint, Span } from "./paint.js";
import type { Scene } from "./view.js";

/** The lines below the table: how the primary is, what the last key did, and what can be done. */
export function renderFooter({ primaryRuns, news }: Scene, hasKeys: boolean, columns: number, paint: Paint): string[] {
  const lines: Span[][] = [
    primaryRuns
      ? [["primary: "], ["up", "green"]]
      : [["primary: "], ["stopped", "yellow"], [hasKeys ? ", press p to start it" : ""]],
    ...(news === "" ? [] : [[[news, "cyan"] satisfies Span]]),
    [["= same   + same, plus local writes   ≠ not in step yet", "dim"]],
    [[hasKeys ? keysLine(primaryRuns) : "Ctrl-C ends it and removes its files.", "dim"]],
  ];
  return lines.map((line) => paint(line, columns - 1));
}

function keysLine(primaryRuns: boolean): string {
  return `p ${primaryRuns ? "stops" : "starts"} the primary   w writes at the replica   q ends it`;
}
