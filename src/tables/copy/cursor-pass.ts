import { setTimeout as delay } from "node:timers/promises";
import { ReplicaError } from "../../errors.js";
import type { SourceTable } from "../sources/source-table.js";
import type { ReadRequest, SourceBatch, SourcePosition, TableSource } from "../sources/table-source.js";
import type { CopyState } from "./copy-state.js";
import { beginPass, holdTransactions } from "./horizon.js";

export interface CursorPass {
  readonly source: TableSource;
  readonly table: SourceTable;
  readonly cursorColumn: string;
  readonly batchSize: number;
  readonly lagSeconds: number;
  readonly start: CopyState;
  readonly signal: AbortSignal;
  /** Keeps rows and the state that goes with them, in one transaction. `null`: the state alone. */
  write(batch: SourceBatch | null, state: CopyState): void;
  /** Told once a pass how many rows have no cursor. */
  onNullCursors(rows: number): void;
}

/** How long a pass waits for transactions that are open when it begins. */
const PATIENCE_MS = 1_000;
/** Without a primary key nothing can be read again, so that waiting is all there is. */
const KEYLESS_PATIENCE_MS = 5_000;
const POLL_MS = 20;

/**
 * Copies what the source has beyond the state's position, and yields after each batch. When it returns, every row that was visible when it began
 * is copied. See `horizon.ts` for what the order of the steps guarantees.
 */
export async function* passCursor(pass: CursorPass): AsyncGenerator<void, CopyState> {
  const { source, table, cursorColumn, signal, batchSize } = pass;
  const keyed = table.primaryKey.length > 0;
  const keyset = [cursorColumn, ...table.primaryKey.filter((name) => name !== cursorColumn)];
  const point = await source.readPoint(table, cursorColumn, pass.lagSeconds, signal);
  pass.onNullCursors(point.nullCursorRows);
  const begun = beginPass(pass.start.horizon, point.openTransactions);
  const { unknown } = begun;
  const open = unknown.length > 0 ? await outlast(pass, point.openTransactions, unknown) : [];
  const late = unknown.filter((name) => open.includes(name));
  if (late.length > 0 && !keyed) throw openTransactions(table, late.length);
  const { during, held } = holdTransactions(begun, late);
  // Before the first row there is nothing that it could be missing from.
  const compare = pass.start.compare || (begun.anywhere && during.position !== null);
  let state: CopyState = { ...pass.start, horizon: during, compare };

  const read = (request: Partial<ReadRequest>): AsyncIterable<SourceBatch> =>
    source.read({ table, keyset, batchSize, wholeTies: !keyed, skipNulls: true, signal, ...request });

  if (state.horizon.position === null && keyed) {
    const byKey = point.ceiling && cursorColumn !== table.primaryKey[0];
    const position = byKey ? await lastOf(read({ below: point.ceiling, lastOnly: true })) : null;
    state = { ...state, horizon: { ...state.horizon, position }, scan: position && [] };
  }
  if (state.scan) {
    const after = state.scan.length > 0 ? { after: state.scan } : {};
    for await (const batch of read({ keyset: table.primaryKey, skipNulls: false, ...after })) {
      state = { ...state, scan: batch.last };
      pass.write(batch, state);
      yield;
    }
    state = { ...state, scan: null, nulls: "done" };
    pass.write(null, state);
  }
  if (state.nulls !== "done") {
    if (point.nullCursorRows > 0) {
      const after = state.nulls ? { after: state.nulls } : {};
      const nulls = { keyset: keyset.slice(1), whereNull: cursorColumn, skipNulls: false, ...after };
      for await (const batch of read(nulls)) {
        state = { ...state, nulls: keyed ? batch.last : "done" };
        pass.write(batch, state);
        yield;
      }
    }
    state = { ...state, nulls: "done" };
  }
  // Read again from where a transaction that has ended may have written; the position stays meanwhile.
  const again = begun.start !== during.position;
  let { position } = state.horizon;
  if (point.ceiling) {
    const after = again ? begun.start : position;
    for await (const batch of read({ below: point.ceiling, ...(after && { after }) })) {
      position = batch.last;
      if (!again) state = { ...state, horizon: { ...state.horizon, position } };
      pass.write(batch, state);
      yield;
    }
    state = { ...state, horizon: { position, held } };
    // What is above the ceiling may still change its order: it is copied now and read again by the next pass.
    const above = { value: point.ceiling.value, inclusive: !point.ceiling.inclusive };
    for await (const batch of keyed ? read({ above }) : []) {
      pass.write(batch, state);
      yield;
    }
  }
  state = { ...state, horizon: { position, held }, complete: true };
  if (JSON.stringify(state) !== JSON.stringify(pass.start)) pass.write(null, state);
  return state;
}

async function lastOf(batches: AsyncIterable<SourceBatch>): Promise<SourcePosition | null> {
  let last: SourcePosition | null = null;
  for await (const batch of batches) last = batch.last;
  return last;
}

/**
 * Waits until the `awaited` ones of the transactions that were open have ended, for a bounded time. @returns those of all that have not.
 */
async function outlast(
  { source, table, signal }: CursorPass,
  all: readonly string[],
  awaited: readonly string[],
): Promise<readonly string[]> {
  const deadline = performance.now() + (table.primaryKey.length > 0 ? PATIENCE_MS : KEYLESS_PATIENCE_MS);
  let open = all;
  while (awaited.some((name) => open.includes(name)) && performance.now() < deadline) {
    await delay(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    // The whole list, by which the source tells a transaction that was prepared meanwhile from one that was there.
    open = await source.stillOpen(all, signal);
  }
  return open;
}

function openTransactions(table: SourceTable, count: number): ReplicaError {
  return new ReplicaError(
    "SOURCE_FAILED",
    `${table.name}: ${count === 1 ? "a transaction has" : `${count} transactions have`} been open at the source for more than ${KEYLESS_PATIENCE_MS / 1_000} s`,
    {
      retryable: true,
      hint: "without a primary key its rows cannot be added later, so the copy waits until it ends: end it, or give the table a primary key",
    },
  );
}
