import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFilePageStore } from "../../../src/pages/store/file-page-store.js";
import type { PageStaging, PageStore } from "../../../src/pages/store/page-store.js";
import { size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { combinedOf, expectBytes, hashOf, pagesOf, sqliteFile, storedContent } from "./store-fixture.js";

const UNIT = 512;
const first = Buffer.from(sqliteFile({ pageSize: UNIT, rows: 0 }).subarray(0, UNIT));
// No count in the header: any number of pages is a database then.
first.writeUInt32BE(0, 28);
const contents = Array.from({ length: 4 }, (_, at) => Buffer.alloc(UNIT, at + 1));

/** A version in the model: what each page is, from page 1. */
type Pages = readonly number[];

const page = (content: number, at: number): Buffer => {
  if (at > 0) return contents[content] as Buffer;
  const begun = Buffer.from(first);
  begun[UNIT - 1] = content;
  return begun;
};
const bytesOf = (pages: Pages): Buffer => Buffer.concat(pages.map(page));

const version = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 24 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("whole" as const), pages: version }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("broken" as const), pages: version, most: fc.nat({ max: 24 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("late" as const), pages: version }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
);

/** Ranges first, halved where they differ, as a client does. @returns pages that are wanted */
async function wanted(
  staging: PageStaging,
  pages: readonly Buffer[],
  start = 1,
  end: number = pages.length,
): Promise<number[]> {
  if (start === end) return (await staging.has(start, hashOf(pages[start - 1] as Buffer))) ? [] : [start];
  const verdict = await staging.compare(start, end, combinedOf(pages.slice(start - 1, end)));
  if (verdict === "equal") return [];
  if (verdict === "unknown") return Array.from({ length: end - start + 1 }, (_, at) => start + at);
  const middle = (start + end) >> 1;
  return [...(await wanted(staging, pages, start, middle)), ...(await wanted(staging, pages, middle + 1, end))];
}

describe("a page store, after any pushes, broken-off pushes and restarts", () => {
  it("holds what the model holds, and wants no page that it has", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const dir = tempDir();
        let store: PageStore = createFilePageStore({ dir });
        await store.open();
        let stored: Pages = [];
        let generation = 0;
        /** Contents that were sent for a page since the last commit that changed something. */
        let sent = new Set<string>();
        try {
          for (const what of steps) {
            if (what.do === "restart") {
              await store.close();
              store = createFilePageStore({ dir });
              await store.open();
              continue;
            }
            const pages = pagesOf(bytesOf(what.pages), UNIT).map((bytes) => Buffer.from(bytes));
            const from = what.do === "late" ? generation + 1 : generation;
            const staging = await store.stage("db1", {
              pageSize: UNIT,
              pageCount: pages.length,
              generation: from,
              maxBytes: 2 ** 20,
            });
            const missing = await wanted(staging, pages);
            const unknown = what.pages.flatMap((content, at) =>
              stored[at] === content || sent.has(`${at}:${content}`) ? [] : [at + 1],
            );
            // A page that was sent may have been sent again with another content: only what is unknown must be wanted.
            for (const pageNo of unknown) expect(missing).toContain(pageNo);
            for (const pageNo of missing) expect(stored[pageNo - 1]).not.toBe(what.pages[pageNo - 1]);
            for (const pageNo of missing.slice(0, what.do === "broken" ? what.most : undefined)) {
              await staging.put(pageNo, pages[pageNo - 1] as Buffer);
              sent.add(`${pageNo - 1}:${what.pages[pageNo - 1]}`);
            }
            if (what.do !== "broken") {
              const same =
                stored.length === what.pages.length && stored.every((content, at) => content === what.pages[at]);
              if (!same && what.do === "late") {
                await expect(staging.commit()).rejects.toMatchObject({ code: "GENERATION_CONFLICT" });
              } else {
                if (!same) {
                  generation += 1;
                  stored = what.pages;
                  sent = new Set();
                }
                expect(await staging.commit()).toEqual({ generation, rootHash: combinedOf(pages) });
              }
            }
            await staging.close();
            expectBytes(await storedContent(store, "db1"), bytesOf(stored));
          }
        } finally {
          await store.close();
        }
      }),
      { numRuns: size({ test: 12, ci: 60, soak: 1000 }) },
    );
  });
});
