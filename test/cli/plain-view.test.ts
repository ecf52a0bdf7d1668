import { describe, expect, it } from "vitest";
import { createPlainView } from "../../src/cli/demo/plain-view.js";
import type { Row } from "../../src/cli/demo/rows.js";
import { fakeStream } from "./fake-terminal.js";

const row: Row = {
  collection: "sales",
  mode: "push_only",
  localHash: "0123456789abcdef".repeat(4),
  primaryHash: null,
  relation: null,
  stalenessMs: null,
  outbox: { waiting: true, sent: 0, deadLetter: null },
  lastError: null,
  recovered: true,
};

/** The lines for rows that come one after the other, without the time. */
function shown(...rows: readonly Row[]): string[] {
  const { stream, text } = fakeStream();
  const view = createPlainView({ stdout: stream, stderr: stream });
  for (const one of rows) view.show({ rows: [one], primaryRuns: true, news: "" });
  return text()
    .trimEnd()
    .split("\n")
    .map((line) => line.slice(9));
}

describe("the demo's plain lines", () => {
  it("tell each change of an outbox", () => {
    const lines = shown(
      { ...row, outbox: { waiting: false, sent: 0, deadLetter: null } },
      row,
      { ...row, outbox: { waiting: false, sent: 1, deadLetter: null } },
      { ...row, outbox: { waiting: true, sent: 1, deadLetter: "PRIMARY_REFUSED" } },
    );
    expect(lines.map((line) => /outbox=(\S+)/.exec(line)?.[1])).toEqual([
      "-",
      "waiting",
      "sent:1",
      "dead-letter:PRIMARY_REFUSED",
    ]);
  });

  it("are not repeated where nothing has changed but the staleness", () => {
    expect(shown(row, { ...row, stalenessMs: 1_000 })).toEqual([
      "sales mode=push_only local=0123456789ab primary=- outbox=waiting error=- staleness=-",
    ]);
  });
});
