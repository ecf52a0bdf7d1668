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
 * 3. when a held transaction has ended, what is after its `from` is read again, once; only then is it let go of. One that was open when the
 *    copy began, whose rows can be anywhere, has the whole copy compared instead.
 */
export interface Horizon {
  readonly position: SourcePosition | null;
  readonly held: readonly HeldTransaction[];
}

/** What the transactions that are open mean for a pass. */
interface PassStart {
  readonly before: Horizon;
  readonly open: ReadonlySet<string>;
  /** Those that are not held: whoever wrote a row below the ceiling that is not visible yet is among them or held. */
  readonly unknown: readonly string[];
  /** Where the pass begins to read: the position, or before it, where a transaction that has ended may have written. */
  readonly start: SourcePosition | null;
  /** One has ended whose rows can be anywhere in what was copied. */
  readonly anywhere: boolean;
}

/** The first step of a pass. */
export function beginPass(before: Horizon, openTransactions: readonly string[]): PassStart {
  const open = new Set(openTransactions);
  const known = new Set(before.held.map(({ name }) => name));
  const ended = before.held.filter(({ name }) => !open.has(name));
  const back = ended.find(({ from }) => from !== null);
  return {
    before,
    open,
    unknown: openTransactions.filter((name) => !known.has(name)),
    start: back ? back.from : before.position,
    anywhere: ended.some(({ from }) => from === null),
  };
}

/**
 * The horizon with the transactions that did not end while the pass waited; before the first row is read. They began after the pass before, so their
 * rows are after its position. But one that was prepared has got a new name (`prepared:...`) and may be any that has ended.
 * @returns `during`: to keep until the pass has read up to the ceiling, with those that have ended, so that a crash costs no row. `held`: to
 *   keep from then on.
 */
export function holdTransactions(
  { before, open, start, anywhere }: PassStart,
  names: readonly string[],
): { readonly during: Horizon; readonly held: Horizon["held"] } {
  const late = (prepared: boolean, from: SourcePosition | null): HeldTransaction[] =>
    names.filter((name) => name.startsWith("prepared:") === prepared).map((name) => ({ name, from }));
  const renamed = late(true, anywhere ? null : start);
  // In order: what begins anywhere, then by where it begins. `start` is where the first that has ended begins.
  const kept = before.held.filter(({ name, from }) => open.has(name) || from !== null);
  const place = anywhere ? 0 : kept.findIndex(({ name }) => !open.has(name));
  const at = place === -1 ? kept.length : place;
  const all = [...kept.slice(0, at), ...renamed, ...kept.slice(at), ...late(false, before.position)];
  const isNew = new Set(names);
  return {
    during: { position: before.position, held: all },
    held: all.filter(({ name }) => open.has(name) || isNew.has(name)),
  };
}
