import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { size } from "../../support/size.js";
import { type Pages, pagesOf, samePages } from "./machine-link.js";
import { pull, push, storeOf } from "./session-pairs.js";

const PAGE_SIZE = 512;
const numRuns = size({ test: 60, ci: 300, soak: 5_000 });

/** Two versions that have something to do with each other: a base, and changes, growth or shrinking on both sides. */
const versions = fc
  .record({
    base: fc.oneof(
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 250 }), { minLength: 250, maxLength: 700 }),
    ),
    changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 251, max: 255 })), { maxLength: 12 }),
    grown: fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 300 }),
    shrunk: fc.nat({ max: 300 }),
    kind: fc.constantFrom("changed", "grown", "shrunk", "disjoint", "equal"),
  })
  .map(({ base, changes, grown, shrunk, kind }) => {
    let ours = [...base];
    for (const [at, seed] of changes) if (ours.length > 0) ours[at % ours.length] = seed;
    if (kind === "grown") ours.push(...grown);
    if (kind === "shrunk") ours = ours.slice(0, Math.max(0, ours.length - shrunk));
    if (kind === "disjoint") ours = grown;
    return kind === "equal" ? { theirs: base, ours: base } : { theirs: base, ours };
  });
const turns = fc.array(fc.boolean(), { minLength: 1, maxLength: 30 });

function differing(from: Pages, to: Pages): number[] {
  const numbers: number[] = [];
  to.forEach((page, i) => {
    const other = from[i];
    if (other === undefined || Buffer.compare(page, other) !== 0) numbers.push(i + 1);
  });
  return numbers;
}

const rising = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

describe("two sessions of ours", () => {
  it("P1: end with the same version at both ends, and exactly the pages that differ have travelled, in a push", () => {
    fc.assert(
      fc.property(versions, turns, ({ theirs, ours }, turns) => {
        const store = storeOf(theirs, PAGE_SIZE);
        const before = store.pages;
        const local = pagesOf(ours, PAGE_SIZE);
        const { client, server, toServer } = push(local, PAGE_SIZE, store, {}, { turns });
        expect(client.error ?? server.error).toBeNull();
        expect(samePages(store.pages, local)).toBe(true);
        expect(rising(toServer.pages)).toEqual(differing(before, local));
        const changed = toServer.pages.length > 0 || theirs.length !== ours.length;
        expect(server.commits).toBe(changed ? 1 : 0);
        expect(client.outcome).toMatchObject({ changed, version: { database: "d1", generation: changed ? 4 : 3 } });
      }),
      { numRuns },
    );
  });

  it("P1: end with the same version at both ends, and exactly the pages that differ have travelled, in a pull", () => {
    fc.assert(
      fc.property(versions, turns, fc.boolean(), ({ theirs, ours }, turns, isNew) => {
        const store = storeOf(theirs, PAGE_SIZE);
        const mine = isNew ? [] : pagesOf(ours, PAGE_SIZE);
        const { run, result } = pull(isNew ? null : mine, PAGE_SIZE, store, {}, { turns });
        expect(run.client.error ?? run.server.error).toBeNull();
        expect(samePages(result, store.pages)).toBe(true);
        expect(rising(run.toClient.pages)).toEqual(differing(mine, store.pages));
        expect(run.client.outcome?.version?.generation).toBe(3);
        expect(run.client.outcome?.changed).toBe(run.toClient.pages.length > 0 || mine.length !== store.pages.length);
      }),
      { numRuns },
    );
  });

  it("S6: goes on where pushes broke off: pages that have come do not travel again, whatever moment it was", () => {
    fc.assert(
      fc.property(
        versions,
        turns,
        fc.array(fc.nat({ max: 300 }), { maxLength: 3 }),
        ({ theirs, ours }, turns, breaks) => {
          const store = storeOf(theirs, PAGE_SIZE);
          const before = store.pages;
          const local = pagesOf(ours, PAGE_SIZE);
          for (const steps of breaks) {
            const kept = new Set(store.leftovers.keys());
            const { toServer, server } = push(local, PAGE_SIZE, store, {}, { turns, steps });
            if (server.commits > 0) return;
            expect(toServer.pages.filter((pageNo) => kept.has(pageNo))).toEqual([]);
            expect(store.pages).toBe(before);
          }
          const kept = new Set(store.leftovers.keys());
          const { client, toServer } = push(local, PAGE_SIZE, store, {}, { turns });
          expect(client.error).toBeNull();
          expect(toServer.pages.filter((pageNo) => kept.has(pageNo))).toEqual([]);
          expect(samePages(store.pages, local)).toBe(true);
        },
      ),
      { numRuns },
    );
  });

  it("P5: an unchanged database costs one range, and one changed page some kilobytes, whatever the number of pages", () => {
    const local = pagesOf(
      Array.from({ length: 20_000 }, (_, i) => i % 251),
      PAGE_SIZE,
    );
    const store = { ...storeOf([], PAGE_SIZE), pages: local };
    const same = push(local, PAGE_SIZE, store);
    expect(same.toServer.kinds).toEqual(
      new Map([
        ["hello", 1],
        ["page_hash_batch", 1],
        ["complete", 1],
      ]),
    );
    expect(same.toServer.bytes + same.toClient.bytes).toBeLessThan(800);
    const changed = [...local];
    changed[15_000] = new Uint8Array(PAGE_SIZE).fill(255);
    for (const run of [push(changed, PAGE_SIZE, store), pull(local, PAGE_SIZE, store).run]) {
      expect(run.client.outcome?.pagesTransferred).toBe(1);
      expect(run.toServer.bytes + run.toClient.bytes).toBeLessThan(10_000);
    }
  });

  it("S4: never has more than 4 MiB of pages asked for and not come, and P6: never more under way than two batches", () => {
    const local = pagesOf(
      Array.from({ length: 12_000 }, (_, i) => i % 251),
      PAGE_SIZE,
    );
    const store = storeOf([], PAGE_SIZE, 0);
    // A server that is slow, then a client that is.
    const slow = push(local, PAGE_SIZE, store, {}, { turns: [...new Array<boolean>(50).fill(true), false] });
    expect(slow.server.peakOutstanding * PAGE_SIZE).toBeLessThanOrEqual(4 * 2 ** 20);
    expect(slow.server.peakOutstanding * PAGE_SIZE).toBeGreaterThan(3 * 2 ** 20);
    expect(slow.toServer.peakBytes).toBeGreaterThan(2 ** 20);
    expect(slow.toServer.peakBytes).toBeLessThan(2.5 * 2 ** 20);
    const pulled = pull(null, PAGE_SIZE, store, {}, { turns: [...new Array<boolean>(50).fill(false), true] });
    expect(samePages(pulled.result, local)).toBe(true);
    expect(pulled.run.toClient.peakBytes).toBeGreaterThan(2 ** 20);
    expect(pulled.run.toClient.peakBytes).toBeLessThan(2.5 * 2 ** 20);
  });

  it("S2: a database whose page size has changed is pushed and pulled whole", () => {
    const store = storeOf([1, 2, 3], 1024);
    const local = pagesOf([1, 1, 2, 2], 512);
    expect(push(local, 512, store).client.outcome).toMatchObject({ changed: true, pagesTransferred: 4 });
    expect(store).toMatchObject({ generation: 4, pageSize: 512 });
    const { run, result } = pull(pagesOf([1, 2], 4096), 4096, store);
    expect(samePages(result, local)).toBe(true);
    expect(run.client.outcome).toMatchObject({ pageSize: 512, pageCount: 4, pagesTransferred: 4 });
  });

  it("C2: a pull of what was never pushed ends without a page", () => {
    const { run } = pull(null, PAGE_SIZE, storeOf([], PAGE_SIZE, 0));
    const version = { database: "d1", generation: 0, rootHash: null };
    expect(run.client.outcome).toMatchObject({ changed: false, version, pageCount: 0, pagesTransferred: 0 });
  });
});
