/** Where a written row gets its cursor from. `back` is a clock that was set back, `null` none at all. */
export type Clock = "statement" | "transaction" | "back" | "null";

/** One write at the source. `by`: which of the writers; what it does is part of its transaction where one is open. */
export type SourceStep =
  | { readonly kind: "insert"; readonly by: number; readonly rows: number; readonly clock: Clock }
  | { readonly kind: "update"; readonly by: number; readonly every: number; readonly clock: Clock | "unchanged" }
  | { readonly kind: "delete"; readonly by: number; readonly every: number }
  | { readonly kind: "rekey"; readonly by: number; readonly every: number }
  | { readonly kind: "begin"; readonly by: number; readonly look: boolean }
  | { readonly kind: "end"; readonly by: number; readonly commit: boolean }
  | { readonly kind: "savepoint"; readonly by: number; readonly rollBack: boolean }
  | { readonly kind: "alter"; readonly what: Alteration; readonly column: number }
  | { readonly kind: "truncate" };

export const ALTERATIONS = [
  "add empty",
  "add filled",
  "add and fill",
  "drop",
  "drop and add",
  "rename",
  "widen",
  "retype",
  "new table",
  "new key",
] as const;
export type Alteration = (typeof ALTERATIONS)[number];

/** A table at a source and those who write to it, some of them slowly. */
export interface BusySource {
  readonly name: string;
  /** Nobody writes any more. */
  readonly quiet: boolean;
  take(step: SourceStep): Promise<void>;
  /** Commits what is open. */
  settle(): Promise<void>;
  /** Ends what is open, and the table. */
  drop(): Promise<void>;
  /** The columns, and every row as the texts that the copy should give. */
  read(): Promise<{ columns: string[]; rows: string[] }>;
}
