import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createJsonLines } from "../../../src/cli/progress/json-lines.js";
import { createLogLines } from "../../../src/cli/progress/log-lines.js";
import { createTerminalLine } from "../../../src/cli/progress/terminal-line.js";
import { fakeStream } from "../fake-terminal.js";

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ["setInterval", "clearInterval", "performance", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Facts that a fast worker tells every 5 ms, for so long. */
function work(ms: number, show: (done: number) => void): void {
  for (let at = 0; at < ms; at += 5) {
    show(at);
    vi.advanceTimersByTime(5);
  }
}
const facts = (done: number) => ({ label: "shop.sql", done, total: 10_000, data: { bytes: done } });

describe("the line of a terminal", () => {
  it("is drawn at most ten times a second, and goes on where nothing is told", () => {
    const terminal = fakeStream({ columns: 80, rows: 24 });
    let draws = 0;
    const { write } = terminal.stream;
    terminal.stream.write = ((text: string) => {
      draws += 1;
      return write(text);
    }) as typeof write;
    const line = createTerminalLine(terminal.stream, { LANG: "C" });
    work(3_000, (done) => line.show(facts(done)));
    expect(draws).toBeGreaterThan(20);
    expect(draws).toBeLessThanOrEqual(31);
    // The rate falls.
    vi.advanceTimersByTime(5_000);
    expect(draws).toBeGreaterThan(35);
    line.end();
    const ended = terminal.text();
    vi.advanceTimersByTime(5_000);
    expect(terminal.text()).toBe(ended);
    expect(ended.endsWith("\r\u001b[J")).toBe(true);
  });

  it("prints messages above itself", () => {
    const terminal = fakeStream({ columns: 80, rows: 24 });
    const line = createTerminalLine(terminal.stream, { LANG: "C" });
    line.say("before", {});
    line.show(facts(1));
    line.say("broke off", {});
    const shown = terminal.text().split("\n");
    expect(shown).toEqual([
      "before",
      expect.stringMatching(/shop\.sql.*\r.*broke off$/),
      expect.stringMatching(/shop\.sql(?!.*broke)/),
    ]);
    expect(shown[1]).toContain("\r\u001b[Jbroke off");
  });

  it("clears what a terminal that became narrower has wrapped", () => {
    const terminal = fakeStream({ columns: 80, rows: 24 });
    const line = createTerminalLine(terminal.stream, { LANG: "C" });
    line.show({ ...facts(1), details: ["x".repeat(20)] });
    const before = terminal.text().length;
    Object.assign(terminal.stream, { columns: 30 });
    vi.advanceTimersByTime(100);
    expect(terminal.text().slice(before).startsWith("\u001b[2A\r\u001b[J")).toBe(true);
    line.end();
  });

  it("has colours only where the terminal has", () => {
    for (const colours of [true, false]) {
      const terminal = fakeStream({ columns: 80, rows: 24, colours });
      const line = createTerminalLine(terminal.stream, { LANG: "en_US.UTF-8" });
      line.show(facts(5_000));
      line.end();
      expect(terminal.text().includes("\u001b[36m━")).toBe(colours);
      expect(terminal.text()).toContain("━");
    }
  });
});

describe("the lines of a log", () => {
  it("come after a second and then every five", () => {
    const log = fakeStream();
    const line = createLogLines(log.stream);
    work(900, (done) => line.show(facts(done)));
    expect(log.text()).toBe("");
    work(12_000, (done) => line.show(facts(done)));
    expect(log.text().split("\n")).toHaveLength(4);
    expect(log.text()).toMatch(/^shop\.sql: 1%, 0\.1 of 9\.8 KiB\nshop\.sql: 51%, /);
  });
});

describe("the lines for programs", () => {
  it("are JSON, at most one a second, and always the last", () => {
    const output = fakeStream();
    const line = createJsonLines(output.stream);
    work(2_500, (done) => line.show(facts(done)));
    line.say("ignored", { event: "retry" });
    line.end();
    const lines = output
      .text()
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(lines).toEqual([
      { event: "progress", bytes: 0 },
      { event: "progress", bytes: 1_000 },
      { event: "progress", bytes: 2_000 },
      { event: "retry" },
      { event: "progress", bytes: 2_495 },
    ]);
  });
});
