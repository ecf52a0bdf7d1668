import { setTimeout as delay } from "node:timers/promises";
import type { VerifyResult } from "../tasks/table-task.js";
import { compareRanges, type RowDifference } from "./compare-ranges.js";
import { CONFIRM_AT_ONCE, confirmDifferences } from "./confirm-differences.js";
import { nameKey } from "./key-order.js";
import { mend, type Reconciliation } from "./reconcile.js";

export interface Verification extends Reconciliation {
  readonly repair: boolean;
  readonly lagSeconds: number;
  /** Copies what the source has by now. */
  catchUp(): Promise<void>;
}

/** Rounds in which a table without a primary key may have changed while both sides were digested. */
const KEYLESS_ROUNDS = 5;

/** Compares source and copy row by row, by digests of key ranges; on tables in use, what is merely on its way is no difference. */
export async function verifyTable(options: Verification): Promise<VerifyResult> {
  const found = { missing: 0, extra: 0, different: 0, repaired: 0 };
  const settle = async (suspects: readonly RowDifference[]): Promise<void> => {
    const confirmed = await confirmDifferences(options, suspects);
    for (const { source, local } of confirmed) {
      if (local === null) found.missing += 1;
      else if (source === null) found.extra += 1;
      else found.different += 1;
    }
    if (!options.repair || confirmed.length === 0) return;
    // A catch-up since a row was confirmed may have brought a newer one.
    const newest = await readNewest(options, confirmed);
    const { written, deleted } = await mend(options, newest);
    found.repaired += written + deleted;
  };
  let suspects: RowDifference[] = [];
  for await (const difference of compareRanges(options)) {
    if (difference === null) continue;
    suspects.push(difference);
    if (suspects.length < CONFIRM_AT_ONCE) continue;
    await settle(suspects);
    suspects = [];
  }
  if (suspects.length > 0) await settle(suspects);
  return { equal: found.missing + found.extra + found.different === 0, ...found };
}

async function readNewest(
  { source, table, local, signal }: Verification,
  differences: readonly RowDifference[],
): Promise<readonly RowDifference[]> {
  const keys = differences.map(({ key }) => key);
  const rows = await source.readKeys(table, keys, signal);
  const byKey = new Map(rows.map((row) => [nameKey(local.keyOf(row)), row]));
  return differences.map((difference) => ({ ...difference, source: byKey.get(nameKey(difference.key)) ?? null }));
}

/** The same for a table without a primary key, whose rows have no names: counts and digests of the whole. Mends nothing. */
export async function verifyKeyless({
  source,
  table,
  local,
  signal,
  lagSeconds,
  catchUp,
}: Verification): Promise<VerifyResult> {
  const all = { lower: null, upper: null };
  let last: VerifyResult | null = null;
  for (let round = 0; round < KEYLESS_ROUNDS; round += 1) {
    const [there, here] = await Promise.all([source.digest(table, all, signal), local.digest(all, signal)]);
    const missing = Math.max(0, there.rows - here.rows);
    const extra = Math.max(0, here.rows - there.rows);
    const equal = there.rows === here.rows && there.digest === here.digest;
    // How many differ nobody can say: at least one.
    const different = !equal && missing + extra === 0 ? 1 : 0;
    last = { equal, missing, extra, different, repaired: 0 };
    if (equal || round === KEYLESS_ROUNDS - 1) break;
    // Rows that are younger are not copied yet: without a key they could not be read again.
    await delay((lagSeconds * 1_000) / (KEYLESS_ROUNDS - 2), undefined, { signal }).catch(() =>
      signal.throwIfAborted(),
    );
    await catchUp();
  }
  return last ?? { equal: true, missing: 0, extra: 0, different: 0, repaired: 0 };
}
