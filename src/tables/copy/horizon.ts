import type { SourcePosition } from "../sources/table-source.js";

/** An open transaction that outlasted our patience, and where its rows can begin. */
interface HeldTransaction {
  readonly name: string;
  /** Its rows are after this position. `null`: anywhere, since it was open when the copy began. */
  readonly from: SourcePosition | null;
}

/**
 * How far a copy has come for good. A row takes its cursor value first and becomes visible later, when its transaction commits; meanwhile others
 * with larger values may have been copied already. Why it is done this way: docs/decisions/0006-safety-horizon.md.
 *
 * A pass reads the ceiling (the largest settled cursor), then the list of open transactions, then the rows up to the ceiling. Invariants,
 * which the tests quote:
 * 1. every row up to `position` is copied, or will be by the scan that is under way (`CopyState.scan`), or belongs to a transaction in `held`
 *    with `from` before that row;
 * 2. `held` is sorted: the `from` of an earlier entry is not after that of a later one;
 * 3. a held transaction that has ended sets `position` back to its `from`, once; one that was open when the copy began, whose rows can be
 *    anywhere, has the whole copy compared instead.
 */
export interface Horizon {
  readonly position: SourcePosition | null;
  readonly held: readonly HeldTransaction[];
}

/** What the transactions that are open mean for a pass. */
interface PassStart {
  readonly horizon: Horizon;
  /** Those that are not held: whoever wrote a row below the ceiling that is not visible yet is among them or held. */
  readonly unknown: readonly string[];
  /** One has ended whose rows can be anywhere in what was copied. */
  readonly anywhere: boolean;
}

/** The first step of a pass. Held transactions that have ended are let go, and what they may have written is to be read again. */
export function beginPass(horizon: Horizon, openTransactions: readonly string[]): PassStart {
  const open = new Set(openTransactions);
  const known = new Set(horizon.held.map(({ name }) => name));
  const first = horizon.held.findIndex(({ name, from }) => !open.has(name) && from !== null);
  const position = first === -1 ? horizon.position : (horizon.held[first]?.from ?? null);
  const held = horizon.held
    // Later entries began after `position`; an earlier start is always safe, and keeps the list sorted.
    .map((entry, index) => (first !== -1 && index > first ? { ...entry, from: position } : entry))
    .filter(({ name }) => open.has(name));
  return {
    horizon: { position, held },
    unknown: openTransactions.filter((name) => !known.has(name)),
    anywhere: horizon.held.some(({ name, from }) => !open.has(name) && from === null),
  };
}

/**
 * Remembers transactions that did not end while the pass waited. Before the first row is read. One of them may be, under another name, one that
 * has been let go: a transaction gets a new name when it is prepared. So it begins where those began.
 */
export function holdTransactions({ horizon, anywhere }: PassStart, names: readonly string[]): Horizon {
  const from = anywhere ? null : horizon.position;
  const late = names.map((name) => ({ name, from }));
  return { ...horizon, held: from === null ? [...late, ...horizon.held] : [...horizon.held, ...late] };
}
