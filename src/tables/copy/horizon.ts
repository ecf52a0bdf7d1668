import type { SourcePosition } from "../sources/table-source.js";

/** An open transaction that outlasted our patience, and where its rows can begin. */
interface HeldTransaction {
  readonly name: string;
  /** Its rows are after this position. `null`: anywhere. */
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
 * 3. a held transaction that has ended sets `position` back to its `from`, once.
 */
export interface Horizon {
  readonly position: SourcePosition | null;
  readonly held: readonly HeldTransaction[];
}

/**
 * The first step of a pass, with the transactions that are open. Held ones that have ended are let go, and what they may have written is to be
 * read again; `unknown` are those that are not held: whoever wrote a row below the ceiling that is not visible yet is among them or held.
 */
export function beginPass(
  horizon: Horizon,
  open: readonly string[],
): { readonly horizon: Horizon; readonly unknown: readonly string[] } {
  const known = new Set(horizon.held.map(({ name }) => name));
  return { horizon: releaseEnded(horizon, new Set(open)), unknown: open.filter((name) => !known.has(name)) };
}

function releaseEnded(horizon: Horizon, open: ReadonlySet<string>): Horizon {
  const first = horizon.held.findIndex(({ name }) => !open.has(name));
  const ended = horizon.held[first];
  if (!ended) return horizon;
  const held = horizon.held
    // Later entries began after `ended.from`; an earlier start is always safe, and keeps the list sorted.
    .map((entry, index) => (index > first ? { ...entry, from: ended.from } : entry))
    .filter(({ name }) => open.has(name));
  return { position: ended.from, held };
}

/** Remembers transactions that did not end while the pass waited. Before the first row is read. */
export function holdTransactions(horizon: Horizon, names: readonly string[]): Horizon {
  if (names.length === 0) return horizon;
  return { ...horizon, held: [...horizon.held, ...names.map((name) => ({ name, from: horizon.position }))] };
}
