import { ReplicaError } from "../../errors.js";
import { compareTables } from "../local/schema-change.js";
import type { SourceTable } from "../sources/source-table.js";

/** How often a table may be altered while it is about to be compared. */
const ALTER_ROUNDS = 3;

export interface DescribedCopy {
  /** The source's table as it is now. */
  describe(): Promise<SourceTable>;
  /** The source's table as the copy was made from it. */
  copied(): SourceTable | null;
  /** Copies what is there by now. */
  run(): Promise<void>;
}

/**
 * The source's table, once the copy has the same columns: what was altered since is copied first.
 * @throws `SOURCE_FAILED`, retryable, for a table that is altered again and again.
 */
export async function describeAsCopied({ describe, copied, run }: DescribedCopy): Promise<SourceTable> {
  for (let rounds = 0; ; rounds += 1) {
    const table = await describe();
    const before = copied();
    if (before !== null && compareTables(before, table).kind === "same") return table;
    if (rounds === ALTER_ROUNDS)
      throw new ReplicaError("SOURCE_FAILED", `"${table.name}" is altered at the source again and again`, {
        retryable: true,
        hint: "verify it when its columns stay as they are",
      });
    await run();
  }
}
