import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PageSet } from "../../../src/pages/session/page-set.js";
import { size } from "../../support/size.js";

const MAX = 3_000;
const pageNo = fc.integer({ min: 1, max: MAX });
const command = fc.oneof(
  fc.record({ do: fc.constant("add" as const), at: pageNo, count: fc.constant(1) }),
  fc.record({ do: fc.constant("delete" as const), at: pageNo, count: fc.constant(1) }),
  fc.record({
    do: fc.constantFrom("addRange" as const, "take" as const, "missing" as const),
    at: pageNo,
    count: fc.integer({ min: 1, max: MAX }),
  }),
);

describe("a set of pages", () => {
  it("says the same as a Set", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const pages = new PageSet();
        const model = new Set<number>();
        for (const { do: what, at, count } of commands) {
          const endPage = Math.min(at + count - 1, MAX);
          if (what === "add") {
            expect(pages.add(at)).toBe(!model.has(at));
            model.add(at);
          } else if (what === "delete") expect(pages.delete(at)).toBe(model.delete(at));
          else if (what === "addRange") {
            pages.addRange({ startPage: at, endPage });
            for (let page = at; page <= endPage; page += 1) model.add(page);
          } else if (what === "take") {
            const taken = pages.take(count);
            expect(taken === null).toBe(model.size === 0);
            if (taken === null) continue;
            expect(taken.endPage - taken.startPage).toBeLessThan(count);
            for (let page = taken.startPage; page <= taken.endPage; page += 1) expect(model.delete(page)).toBe(true);
          } else {
            const missing: number[] = [];
            for (let page = at; page <= MAX; page += 1) {
              if (!model.has(page)) missing.push(page);
              else if (missing.length > 0) break;
            }
            const [startPage] = missing;
            const expected = startPage === undefined ? null : { startPage, endPage: missing.at(-1) };
            expect(pages.missing(at, MAX)).toEqual(expected);
          }
          expect(pages.size).toBe(model.size);
        }
        for (let page = 0; page <= MAX; page += 1) if (pages.has(page) !== model.has(page)) throw new Error(`${page}`);
      }),
      { numRuns: size({ test: 100, ci: 1_000, soak: 20_000 }) },
    );
  });

  it("gives everything once when it is taken in pieces, whatever is put in meanwhile", () => {
    const pages = new PageSet();
    pages.addRange({ startPage: 1, endPage: 5_000 });
    const taken: number[] = [];
    for (let range = pages.take(700); range !== null; range = pages.take(700)) {
      for (let page = range.startPage; page <= range.endPage; page += 1) taken.push(page);
      // Behind what was taken, and around again.
      if (taken.length === 1_400) pages.add(3);
    }
    expect(taken).toEqual([...Array.from({ length: 5_000 }, (_, i) => i + 1), 3]);
  });

  it("memory follows what is put in, not the largest number", () => {
    const before = process.memoryUsage();
    const pages = new PageSet();
    for (let page = 1; page < 2 ** 32; page += 2 ** 22) pages.add(page);
    pages.addRange({ startPage: 2 ** 31, endPage: 2 ** 31 + 20_000_000 });
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(8 * 2 ** 20);
    expect(pages.has(2 ** 31 + 20_000_000)).toBe(true);
    expect(pages.missing(2 ** 31, 2 ** 32 - 2)).toMatchObject({ startPage: 2 ** 31 + 20_000_001 });
  });
});
