import type { SourceTable } from "../sources/source-table.js";

/** What is remembered about a target between two transactions: written together with the rows that it tells of. */
export interface TableState {
  /** The source's table as it was when it was last copied; `null` before that. */
  readonly table: SourceTable | null;
  /** Whatever the copy needs to go on, as JSON: no `bigint`, no bytes. */
  readonly data: unknown;
  /** The cursor that people see, as the source writes it. */
  readonly cursor: string | null;
}
