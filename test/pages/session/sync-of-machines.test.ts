import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPullClient } from "../../../src/pages/session/pull-client.js";
import { createPullServer } from "../../../src/pages/session/pull-server.js";
import { createPushClient } from "../../../src/pages/session/push-client.js";
import { createPushServer } from "../../../src/pages/session/push-server.js";
import { size } from "../../support/size.js";
import { type Pages, pagesOf, samePages } from "./machine-link.js";
import { type Run, type RunOptions, runMachines } from "./run-machines.js";
import type { FakeStore } from "./server-machine.js";

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

function storeOf(seeds: readonly number[], generation = 3): FakeStore {
  const isEmpty = generation === 0;
  return { generation, pageSize: isEmpty ? 0 : PAGE_SIZE, pages: pagesOf(seeds, PAGE_SIZE), leftovers: new Map() };
}

function push(ours: readonly number[], store: FakeStore, plain: boolean, options: RunOptions = {}): Run {
  const local = pagesOf(ours, PAGE_SIZE);
  const base = { database: "d1", generation: store.generation };
  const client = createPushClient({ pageSize: PAGE_SIZE, pageCount: local.length, base, plain });
  const server = createPushServer({ database: "d1", maxBytes: 2 ** 30 });
  return runMachines(client, local, server, store, options);
}

function pull(mine: readonly number[] | null, store: FakeStore, options: RunOptions = {}): { run: Run; result: Pages } {
  const local = mine === null ? [] : pagesOf(mine, PAGE_SIZE);
  const client = createPullClient({
    local: mine === null ? null : { pageSize: PAGE_SIZE, pageCount: local.length },
    base: { database: "d1", generation: 1 },
  });
  const run = runMachines(client, local, createPullServer({ database: "d1" }), store, options);
  const count = run.client.outcome?.pageCount ?? 0;
  const result = Array.from(
    { length: count },
    (_, i) => run.client.received.get(i + 1) ?? local[i] ?? new Uint8Array(),
  );
  return { run, result };
}

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
        const store = storeOf(theirs);
        const before = store.pages;
        const { client, server, toServer } = push(ours, store, false, { turns });
        expect(client.error ?? server.error).toBeNull();
        expect(samePages(store.pages, pagesOf(ours, PAGE_SIZE))).toBe(true);
        expect(rising(toServer.pages)).toEqual(differing(before, store.pages));
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
        const store = storeOf(theirs);
        const { run, result } = pull(isNew ? null : ours, store, { turns });
        expect(run.client.error ?? run.server.error).toBeNull();
        expect(samePages(result, store.pages)).toBe(true);
        const mine = isNew ? [] : pagesOf(ours, PAGE_SIZE);
        expect(rising(run.toClient.pages)).toEqual(differing(mine, store.pages));
        expect(run.client.outcome?.version?.generation).toBe(3);
        expect(run.client.outcome?.changed).toBe(run.toClient.pages.length > 0 || mine.length !== store.pages.length);
      }),
      { numRuns },
    );
  });
});
