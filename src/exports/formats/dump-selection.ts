/** Apart from `DumpFormat`, which names the driver: users are told of no driver's types. */
export type DumpFormatName = "sql" | "csv" | "json" | "ndjson";

/**
 * One table alone (JSON: an array; NDJSON: bare rows), or some or all tables (JSON: an object of arrays; NDJSON: each row with its table's
 * name). Names are compared as SQLite does. `sql` takes indexes and triggers with their tables, and with `"all"` the views and the
 * settings kept in the file too.
 */
export type DumpSelection =
  | { readonly table: string }
  | { readonly tables: "all" | readonly string[]; readonly except?: readonly string[] };
