import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { renderFooter } from "../../src/cli/demo/footer.js";
import { createLiveView } from "../../src/cli/demo/live-view.js";
import { createPaint } from "../../src/cli/demo/paint.js";
import type { Row } from "../../src/cli/demo/rows.js";
import { formatStaleness, renderTable } from "../../src/cli/demo/table.js";
import type { Scene } from "../../src/cli/demo/view.js";
import { fakeStream } from "./fake-terminal.js";

const row: Row = {
  collection: "prices",
  mode: "bidirectional",
  localHash: "0123456789abcdef".repeat(4),
  primaryHash: "fedcba9876543210".repeat(4),
  relation: "differs",
  stalenessMs: 1_234,
  outbox: { waiting: false, sent: 12, deadLetter: null },
  lastError: "PRIMARY_UNREACHABLE",
  recovered: false,
};
const ROWS = [row, { ...row, primaryHash: null, relation: null, stalenessMs: null, outbox: null, lastError: null }];
const SCENE: Scene = { rows: ROWS, primaryRuns: true, news: "" };

describe("the demo's table", () => {
  it.each([40, 60, 71, 72, 80, 100, 200])("fits a terminal of %d columns", (columns) => {
    for (const line of renderTable(ROWS, columns, createPaint(fakeStream().stream))) {
      expect(line.length).toBeLessThan(columns);
    }
  });

  it.each([
    [60, "prices bidirectional 0123 ≠ fedc  1.2 s  sent 12     UNREAC"],
    [80, "prices      bidirectional  0123456 ≠ fedcba9  1.2 s   sent 12      UNREACHABLE"],
    [100, "prices      bidirectional  0123456789ab ≠ fedcba987654    1.2 s      sent 12      UNREACHABLE"],
  ])("shortens hashes to the room there is: %d columns", (columns, expected) => {
    expect(renderTable(ROWS, columns, createPaint(fakeStream().stream))[1]).toBe(expected);
  });

  it("shows `-` for what there is not", () => {
    const [, , line] = renderTable(ROWS, 80, createPaint(fakeStream().stream));
    expect(line).toBe("prices      bidirectional  0123456   -        -       -            -");
  });

  it.each([
    [{ waiting: false, sent: 0, deadLetter: null }, "-"],
    [{ waiting: false, sent: 3, deadLetter: null }, "sent 3"],
    [{ waiting: true, sent: 3, deadLetter: null }, "waiting"],
    [{ waiting: true, sent: 3, deadLetter: "PRIMARY_REFUSED" }, "dead letter"],
  ])("shows an outbox %o as %s", (outbox, expected) => {
    const [, line = ""] = renderTable([{ ...row, outbox }], 80, createPaint(fakeStream().stream));
    expect(line.slice(54).split("  ")[0]).toBe(expected);
  });

  it("is in colour only where the terminal shows colours", () => {
    const lines = (colours: boolean) =>
      renderTable(ROWS, 80, createPaint(fakeStream({ columns: 80, rows: 24, colours }).stream));
    expect(lines(false).join("")).not.toContain("\x1b");
    expect(lines(true)[1]).toContain("\x1b[31mUNREACHABLE\x1b[39m");
    expect(lines(true).map(stripVTControlCharacters)).toEqual(lines(false));
  });

  it.each([
    [null, "-"],
    [0, "0.0 s"],
    [9_949, "9.9 s"],
    [9_950, "10 s"],
    [119_000, "119 s"],
    [119_500, "2 min"],
    [180_000, "3 min"],
    [36_000_000, "10 h"],
  ])("shows a staleness of %s ms as %s", (ms, expected) => {
    expect(formatStaleness(ms)).toBe(expected);
  });
});

describe("the lines below the demo's table", () => {
  const paint = createPaint(fakeStream().stream);

  it("say how the primary is, and which key changes that", () => {
    expect(renderFooter(SCENE, true, 80, paint)).toEqual([
      "primary: up",
      "= same   + same, plus local writes   ≠ not in step yet",
      "p stops the primary   w writes at the replica   q ends it",
    ]);
    const stopped = renderFooter({ ...SCENE, primaryRuns: false, news: "you wrote" }, true, 80, paint);
    expect(stopped.slice(0, 2)).toEqual(["primary: stopped, press p to start it", "you wrote"]);
    expect(stopped.at(-1)).toMatch(/^p starts the primary /);
  });

  it("offer no keys where there are none", () => {
    expect(renderFooter(SCENE, false, 80, paint).at(-1)).toBe("Ctrl-C ends it and removes its files.");
  });

  it.each([true, false])("fit a terminal of 60 columns whole, primary up: %s", (primaryRuns) => {
    const scene: Scene = { ...SCENE, primaryRuns, news: "you wrote a note and sale 999: the replica has stored both" };
    expect(renderFooter(scene, true, 60, paint)).toEqual(renderFooter(scene, true, 200, paint));
  });
});

describe("the live view", () => {
  it("draws in one place, hides the cursor meanwhile and gives it back", () => {
    const terminal = { columns: 80, rows: 24 };
    const { stream, text } = fakeStream(terminal);
    const view = createLiveView({ stdout: stream, stderr: stream }, true);
    expect(text()).toBe("\x1b[?25l");
    view.show(SCENE);
    const height = text().split("\n").length - 1;
    const first = text().length;
    view.show(SCENE);
    expect(text().slice(first).startsWith(`\x1b[${height}A\r`)).toBe(true);
    view.close();
    expect(text().endsWith("\x1b[?25h")).toBe(true);
  });

  it("goes up over the lines that a narrower terminal has wrapped", () => {
    const { stream, text } = fakeStream({ columns: 80, rows: 24 });
    const view = createLiveView({ stdout: stream, stderr: stream }, true);
    view.show(SCENE);
    const height = text().split("\n").length - 1;
    const wrapped = text()
      .split("\n")
      .filter((line) => stripVTControlCharacters(line).length > 60).length;
    const first = text().length;
    Object.assign(stream, { columns: 60 });
    view.show(SCENE);
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
    const view = createLiveView({ stdout: stream, stderr: stream }, true);
    view.show(SCENE);
    expect(text().split("\n")).toHaveLength(3);
    view.close();
  });

  it("makes room for a complaint, and goes on below it", () => {
    const { stream, text } = fakeStream({ columns: 80, rows: 24 });
    const view = createLiveView({ stdout: stream, stderr: stream }, true);
    view.show(SCENE);
    const first = text().length;
    view.complain("demo: no answer");
    view.show(SCENE);
    expect(text().slice(first)).toContain("A\r\x1b[Jdemo: no answer\ncollection");
    view.close();
  });
});
