import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPaint } from "../../../src/cli/demo/paint.js";
import type { ProgressFacts } from "../../../src/cli/progress/progress-facts.js";
import { progressBar, progressSentence } from "../../../src/cli/progress/progress-text.js";
import { createRate } from "../../../src/cli/progress/rate.js";
import { showBytes, showCount, showDuration } from "../../../src/cli/progress/show-amount.js";
import { fakeStream } from "../fake-terminal.js";

const MIB = 1024 * 1024;
const plain = { paint: createPaint(fakeStream().stream), unicode: true };
const download: ProgressFacts = { label: "shop.sql", done: 30 * MIB, total: 120 * MIB, data: {} };
const job: ProgressFacts = {
  label: "Exporting",
  done: 30 * MIB,
  total: null,
  details: ["3 of 8 tables", "1,234 rows"],
  data: {},
};

describe("a line about progress", () => {
  it("shows a bar, percent, amount, rate and what is left where the total is known", () => {
    expect(progressBar(download, 10 * MIB, 80, plain)).toBe(
      "shop.sql  ━━━━───────────────  25%  30.0 of 120.0 MiB  10.0 MiB/s  0:09 left",
    );
    expect(progressBar(download, 10 * MIB, 80, { ...plain, unicode: false })).toContain("  ####.......");
  });

  it("shows amount, rate and details where it is not", () => {
    expect(progressBar(job, 10 * MIB, 80, plain)).toBe("Exporting  30.0 MiB  10.0 MiB/s  3 of 8 tables  1,234 rows");
    expect(progressSentence(job, null)).toBe("Exporting: 30.0 MiB, 3 of 8 tables, 1,234 rows");
    expect(progressSentence(download, 10 * MIB)).toBe("shop.sql: 25%, 30.0 of 120.0 MiB, 10.0 MiB/s, 0:09 left");
  });

  it("leaves out the least important where the terminal is narrow", () => {
    expect(progressBar(job, 10 * MIB, 50, plain)).toBe("Exporting  30.0 MiB  10.0 MiB/s  3 of 8 tables");
    expect(progressBar(download, 10 * MIB, 50, plain)).toBe("shop.sql  25%  30.0 of 120.0 MiB  10.0 MiB/s");
    expect(progressBar(download, 10 * MIB, 15, plain)).toBe("shop.sql  25%");
  });

  it("is never wider than the terminal", () => {
    const facts = fc.record({
      label: fc.string({ maxLength: 60 }),
      done: fc.nat(),
      total: fc.option(fc.nat()),
      details: fc.array(fc.string({ maxLength: 20 }), { maxLength: 4 }),
      data: fc.constant({}),
    });
    fc.assert(
      fc.property(facts, fc.option(fc.nat()), fc.integer({ min: 1, max: 200 }), (about, rate, columns) => {
        expect(progressBar(about, rate, columns, plain).length).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it("never counts above all or below nothing", () => {
    const text = progressBar({ ...download, done: 130 * MIB }, 1, 100, plain);
    expect(text).toContain("100%");
    expect(text).not.toContain("─");
    expect(progressBar({ ...download, done: 0, total: 0 }, null, 60, plain)).toContain("100%");
  });
});

describe("a rate", () => {
  it("is that of the last seconds, begins anew with a smaller value, and falls where nothing comes", () => {
    let at = 0;
    const rate = createRate(() => at);
    rate.add(1_000);
    expect(rate.perSecond()).toBeNull();
    for (; at < 60_000; at += 100) rate.add(1_000 + (at < 30_000 ? at : 30_000 + (at - 30_000) * 5));
    expect(rate.perSecond()).toBeGreaterThan(4_900);
    expect(rate.perSecond()).toBeLessThan(5_100);
    at += 60_000;
    expect(rate.perSecond()).toBeLessThan(1_000);
    rate.add(0);
    expect(rate.perSecond()).toBeNull();
  });
});

describe("amounts", () => {
  it("are short", () => {
    expect([0, 1, 1_023, 1_024, 1_536, 5 * MIB, 3 * 1024 ** 3, 2 ** 50].map((bytes) => showBytes(bytes))).toEqual([
      "0 B",
      "1 B",
      "1023 B",
      "1.0 KiB",
      "1.5 KiB",
      "5.0 MiB",
      "3.0 GiB",
      "1024.0 TiB",
    ]);
    expect([0, 61_000, 3_599_000, 3_600_000, 90_061_000].map(showDuration)).toEqual([
      "0:00",
      "1:01",
      "59:59",
      "1:00:00",
      "25:01:01",
    ]);
    expect([showCount(1, "row"), showCount(0, "row"), showCount(12_345, "row")]).toEqual([
      "1 row",
      "0 rows",
      "12,345 rows",
    ]);
  });
});
