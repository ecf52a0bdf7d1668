import type { Affinity } from "../../sqlite/affinity.js";

/** What a column most likely holds. `ROWID`: an integer for sure. */
export type ColumnHint = Affinity | "ROWID";

type StorageClass = "integer" | "real" | "text" | "null" | "blob";

const LIKELY: { readonly [Hint in Affinity]: readonly StorageClass[] } = {
  INTEGER: ["integer", "null", "real", "text", "blob"],
  REAL: ["real", "null", "integer", "text", "blob"],
  TEXT: ["text", "null", "blob", "integer", "real"],
  BLOB: ["blob", "null", "text", "integer", "real"],
  NUMERIC: ["integer", "real", "text", "null", "blob"],
};

/** SQL that chooses by the storage class of a column's value, the likeliest first. */
export function typeCaseSql(
  column: string,
  hint: ColumnHint,
  sql: { readonly [Class in StorageClass]: string },
): string {
  if (hint === "ROWID") return sql.integer;
  const arms = LIKELY[hint].map((type) => `WHEN '${type}' THEN ${sql[type]}`);
  return `CASE typeof(${column}) ${arms.join(" ")} END`;
}
