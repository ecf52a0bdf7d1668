import type { VirtualDeclaration } from "./virtual-table.js";

/** An entry of `sqlite_schema` with its SQL. */
export interface SchemaObject {
  readonly type: "table" | "index" | "view" | "trigger";
  readonly name: string;
  /** The table that an index or trigger belongs to. */
  readonly table: string;
  /** As UTF-8, or whatever bytes are in it. */
  readonly sql: Buffer;
}

/**
 * How a table's rows are kept and come back.
 * `rows`: as rows of its own. `content`: a virtual table's, taken from it and put into it. `rebuild`: a full-text index over another table, made
 * anew from that. `none`: a virtual table without rows of its own. `raw`: a virtual table that does not give its rows back, or that we
 * know nothing of; what it keeps is in tables beside it, which go as they are.
 */
export interface SchemaTable extends SchemaObject {
  readonly kind: "rows" | "content" | "rebuild" | "none" | "raw";
  readonly virtual: VirtualDeclaration | null;
  /** The virtual table that keeps its data here. */
  readonly owner: string | null;
}

export interface Schema {
  /** In the order they were made, without SQLite's own. */
  readonly tables: readonly SchemaTable[];
  readonly others: readonly SchemaObject[];
  /** Whether SQLite's own table of this name is there. */
  has(name: "sqlite_sequence" | "sqlite_stat1"): boolean;
}
