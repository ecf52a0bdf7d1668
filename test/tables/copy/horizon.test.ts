import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NEW_COPY } from "../../../src/tables/copy/copy-state.js";
import { beginPass, type Horizon, holdTransactions } from "../../../src/tables/copy/horizon.js";

/** A source whose transactions take a cursor value when they write and show it when they commit, in any order. */
class ModelSource {
  #clock = 0;
  readonly #open = new Map<string, number[]>();
  readonly visible = new Set<number>();
  #names = 0;

  get openTransactions(): string[] {
    return [...this.#open.keys()];
  }

  begin(): void {
    this.#open.set(`t${this.#names++}`, []);
  }

  write(pick: number): void {
    const rows = this.#pick(pick)?.[1];
    rows?.push(++this.#clock);
  }

  commit(pick: number): void {
    const found = this.#pick(pick);
    if (!found) return;
    for (const row of found[1]) this.visible.add(row);
    this.#open.delete(found[0]);
  }

  /** It goes on under another name. */
  prepare(pick: number): void {
    const found = this.#pick(pick);
    if (!found) return;
    this.#open.delete(found[0]);
    this.#open.set(`prepared:${this.#names++}`, found[1]);
  }

  commitAll(): void {
    while (this.#open.size > 0) this.commit(0);
  }

  #pick(pick: number): [string, number[]] | undefined {
    const all = [...this.#open];
    return all[pick % Math.max(1, all.length)];
  }
}

/** The steps of a pass, as cursor-pass.ts takes them, with whatever happens at the source in between. */
class ModelCopy {
  horizon: Horizon = NEW_COPY.horizon;
  readonly rows = new Set<number>();
  rowsRead = 0;
  compare = false;

  /** @param rows after so many rows the process dies. */
  pass(source: ModelSource, between: () => void, rows = Number.POSITIVE_INFINITY): void {
    const ceiling = Math.max(0, ...source.visible);
    between();
    const open = source.openTransactions;
    const begun = beginPass(this.horizon, open);
    between();
    const now = source.openTransactions;
    // As a source's stillOpen: which of those that are gone was prepared, nobody can tell.
    const successor = now.some((name) => name.startsWith("prepared:") && !open.includes(name));
    const late = begun.unknown.filter((name) => now.includes(name) || (successor && !name.startsWith("prepared:")));
    const { during, held } = holdTransactions(begun, late);
    between();
    const compare = begun.anywhere && during.position !== null;
    const again = begun.start !== during.position;
    const snapshot = [...source.visible].sort((a, b) => a - b);
    // In one transaction with the rows: the flag that all is to be compared.
    this.compare ||= compare;
    this.horizon = during;
    let { position } = during;
    let read = 0;
    for (const row of snapshot.filter((value) => value > Number(begun.start?.[0] ?? 0))) {
      if (read === rows) return;
      read += 1;
      this.rows.add(row);
      this.rowsRead += 1;
      if (row <= ceiling) {
        position = [String(row)];
        if (!again) this.horizon = { ...this.horizon, position };
      }
    }
    this.horizon = { position, held };
    if (!this.compare) return;
    this.compare = false;
    for (const row of snapshot.filter((value) => !this.rows.has(value))) {
      this.rows.add(row);
      this.rowsRead += 1;
    }
  }
}

type Step = readonly ["begin" | "write" | "commit" | "prepare" | "pass" | "crash", number];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(fc.constantFrom("begin", "write", "write", "commit", "prepare", "pass", "crash"), fc.nat(20)),
  { maxLength: 120 },
);

function play(source: ModelSource, copy: ModelCopy, script: readonly Step[]): void {
  const rest = [...script];
  const next = (): void => {
    const [step, pick] = rest.shift() ?? ["write", 0];
    if (step === "begin") source.begin();
    if (step === "write") source.write(pick);
    if (step === "commit") source.commit(pick);
    if (step === "prepare") source.prepare(pick);
    // Inside a pass there is no other one.
    if (step === "pass" || step === "crash") source.write(pick);
  };
  while (rest.length > 0) {
    const [step, pick] = rest[0] ?? ["write", 0];
    if (step === "pass" || step === "crash") {
      rest.shift();
      copy.pass(source, next, step === "crash" ? pick : Number.POSITIVE_INFINITY);
    } else next();
  }
}

describe("Horizon", () => {
  it("loses no row, whatever order transactions write and commit in", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const source = new ModelSource();
        const copy = new ModelCopy();
        play(source, copy, script);
        source.commitAll();
        copy.pass(source, () => {});
        expect([...copy.rows].sort((a, b) => a - b)).toEqual([...source.visible].sort((a, b) => a - b));
      }),
      { numRuns: 2_000 },
    );
  });

  it("keeps what is held sorted by where it begins", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const source = new ModelSource();
        const copy = new ModelCopy();
        for (let taken = 0; taken < script.length; taken += 10) {
          play(source, copy, script.slice(taken, taken + 10));
          const starts = copy.horizon.held.map(({ from }) => Number(from?.[0] ?? 0));
          expect(starts).toEqual([...starts].sort((a, b) => a - b));
          expect(Math.max(0, ...starts)).toBeLessThanOrEqual(Number(copy.horizon.position?.[0] ?? 0));
        }
      }),
      { numRuns: 500 },
    );
  });

  const nothing = (): void => {};

  /** A transaction that stays open, and another that writes 100 rows beside it. */
  function writeBesideLong(source: ModelSource): void {
    source.begin();
    source.write(0);
    source.begin();
    for (let row = 0; row < 100; row += 1) source.write(1);
    source.commit(1);
  }

  it("reads what a long transaction may have written once more, when it has ended, and not before", () => {
    const source = new ModelSource();
    const copy = new ModelCopy();
    source.begin();
    source.write(0);
    source.commit(0);
    copy.pass(source, nothing);
    writeBesideLong(source);
    copy.pass(source, nothing);
    expect(copy.rows.size).toBe(101);
    copy.pass(source, nothing);
    copy.pass(source, nothing);
    expect(copy.rowsRead).toBe(101);
    source.commit(0);
    copy.pass(source, nothing);
    expect(copy.rows.size).toBe(102);
    expect(copy.rowsRead).toBe(202);
    copy.pass(source, nothing);
    expect(copy.rowsRead).toBe(202);
  });

  it("reads no more for a chain of long transactions than each of them may have written", () => {
    const source = new ModelSource();
    const copy = new ModelCopy();
    source.begin();
    source.write(0);
    source.commit(0);
    copy.pass(source, nothing);
    source.begin();
    for (let round = 0; round < 20; round += 1) {
      // The one before ends while the next is open already.
      source.begin();
      for (let row = 0; row < 10; row += 1) source.write(1);
      copy.pass(source, nothing);
      source.commit(0);
      copy.pass(source, nothing);
    }
    expect(copy.rowsRead).toBeLessThan(20 * 10 * 3);
    source.commitAll();
    copy.pass(source, nothing);
    expect(copy.rows.size).toBe(source.visible.size);
  });

  it("compares rather than read all again for a transaction that was open when the copy began", () => {
    const source = new ModelSource();
    const copy = new ModelCopy();
    writeBesideLong(source);
    copy.pass(source, nothing);
    expect(copy.rowsRead).toBe(100);
    source.commit(0);
    copy.pass(source, nothing);
    expect(copy.rows.size).toBe(101);
    expect(copy.rowsRead).toBe(101);
  });

  it("reads nothing twice where transactions end in time", () => {
    const source = new ModelSource();
    const copy = new ModelCopy();
    for (let round = 0; round < 50; round += 1) {
      source.begin();
      source.write(0);
      source.commit(0);
      copy.pass(source, () => {});
    }
    expect(copy.rowsRead).toBe(50);
  });
});
