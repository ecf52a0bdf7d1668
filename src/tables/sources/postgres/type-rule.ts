import type { SourceColumn } from "../source-table.js";
import type { Quantity } from "./quantity.js";

/** How values of a type are selected, kept, compared and ordered. */
export interface TypeRule {
  readonly targetType: "INTEGER" | "REAL" | "TEXT" | "BLOB";
  /** Whether and how a cursor can follow such a column. */
  readonly order: SourceColumn["order"];
  /** What is selected, as text, for {@link Quantity} to read. `column` is a quoted name. */
  readonly select: (column: string) => string;
  /** How the selected text becomes the local value. */
  readonly read: Quantity;
  /** SQL whose value is the local value, in the type of `targetType` (bigint, double precision, text, bytea). */
  readonly value: (column: string) => string;
  /** Whether the selected text can be read back by `::type`. */
  readonly selectsSource: boolean;
  /** The type that local keys are compared in where the column's own order is SQLite's order of the local values. */
  readonly keyType?: "bigint" | "double precision" | "uuid" | "bytea";
  /** The same, for a table whose keys are all usual times (`usual-time.ts`). */
  readonly usualKeyType?: "date" | "timestamp" | "timestamptz";
  /** From a local key to text that `::type` reads. Default: as it is. `null`: no value of the type. */
  readonly toSource?: (value: string) => string | null;
}
