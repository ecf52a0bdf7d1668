import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { createLiveView } from "../../src/cli/demo/live-view.js";
import { createPaint } from "../../src/cli/demo/paint.js";
import type { Row } from "../../src/cli/demo/rows.js";
import { formatStaleness, renderTable } from "../../src/cli/demo/table.js";
import { fakeStream } from "./fake-terminal.js";

const row: Row = {
  collection: "prices",
  mode: "bidirectional",
  localHash: "0123456789abcdef".repeat(4),
  primaryHash: "fedcba9876543210".repeat(4),
  relation: "differs",
  stalenessMs: 1_234,
  lastError: "PRIMARY_UNREACHABLE",
  recovered: false,
};
const ROWS = [row, { ...row, primaryHash: null, relation: null, stalenessMs: null, lastError: null }];

describe("the demo's table", () => {
  it.each([40, 60, 71, 72, 80, 100, 200])("fits a terminal of %d columns", (columns) => {
    for (const line of renderTable(ROWS, columns, createPaint(fakeStream().stream))) {
      expect(line.length).toBeLessThan(columns);
    }
  });

  it.each([
    [60, "prices     bidirectional 012345 ≠ fedcba  1.2 s  PRIMARY_UN"],
    [80, "prices      bidirectional  01234567 ≠ fedcba98  1.2 s      PRIMARY_UNREACHABLE"],
    [100, "prices      bidirectional  0123456789abcd ≠ fedcba98765432  1.2 s      PRIMARY_UNREACHABLE"],
  ])("shortens hashes to the room there is: %d columns", (columns, expected) => {
    expect(renderTable(ROWS, columns, createPaint(fakeStream().stream))[1]).toBe(expected);
  });

  it("shows `-` for what there is not", () => {
    const [, , line] = renderTable(ROWS, 80, createPaint(fakeStream().stream));
    expect(line).toBe("prices      bidirectional  01234567   -         -          -");
  });

  it("is in colour only where the terminal shows colours", () => {
    const lines = (colours: boolean) =>
      renderTable(ROWS, 80, createPaint(fakeStream({ columns: 80, rows: 24, colours }).stream));
    expect(lines(false).join("")).not.toContain("\x1b");
    expect(lines(true)[1]).toContain("\x1b[31mPRIMARY_UNREACHABLE\x1b[39m");
    expect(lines(true).map(stripVTControlCharacters)).toEqual(lines(false));
  });

  it.each([
    [null, "-"],
    [0, "0.0 s"],
    [9_949, "9.9 s"],
    [9_950, "10 s"],
    [119_000, "119 s"],
    [180_000, "3 min"],
    [36_000_000, "10 h"],
  ])("shows a staleness of %s ms as %s", (ms, expected) => {
    expect(formatStaleness(ms)).toBe(expected);
  });
});

describe("the live view", () => {
  it("draws in one place, hides the cursor meanwhile and gives it back", () => {
    const terminal = { columns: 80, rows: 24 };
    const { stream, text } = fakeStream(terminal);
    const view = createLiveView({ stdout: stream, stderr: stream });
    expect(text()).toBe("\x1b[?25l");
    view.show(ROWS);
    const height = text().split("\n").length - 1;
    const first = text().length;
    view.show(ROWS);
    expect(text().slice(first).startsWith(`\x1b[${height}A\r`)).toBe(true);
    view.close();
    expect(text().endsWith("\x1b[?25h")).toBe(true);
  });

  it("goes up over the lines that a narrower terminal has wrapped", () => {
    const { stream, text } = fakeStream({ columns: 80, rows: 24 });
    const view = createLiveView({ stdout: stream, stderr: stream });
    view.show(ROWS);
    const height = text().split("\n").length - 1;
    const wrapped = text()
      .split("\n")
      .filter((line) => stripVTControlCharacters(line).length > 60).length;
    const first = text().length;
    Object.assign(stream, { columns: 60 });
    view.show(ROWS);
    expect(wrapped).toBeGreaterThan(0);
    expect(
      text()
        .slice(first)
        .startsWith(`\x1b[${height + wrapped}A\r\x1b[J`),
    ).toBe(true);
    view.close();
  });

  it("shows the first rows where the terminal is too low for all lines", () => {
    const { stream, text } = fakeStream({ columns: 80, rows: 3 });
    const view = createLiveView({ stdout: stream, stderr: stream });
    view.show(ROWS);
    expect(text().split("\n")).toHaveLength(3);
    view.close();
  });

  it("makes room for a complaint, and goes on below it", () => {
    const { stream, text } = fakeStream({ columns: 80, rows: 24 });
    const view = createLiveView({ stdout: stream, stderr: stream });
    view.show(ROWS);
    const first = text().length;
    view.complain("demo: no answer");
    view.show(ROWS);
    expect(text().slice(first)).toContain("A\r\x1b[Jdemo: no answer\ncollection");
    view.close();
  });
});
