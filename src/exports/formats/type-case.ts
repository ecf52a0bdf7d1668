import type { Affinity } from "../../sqlite/affinity.js";

/** What a column most likely holds. `ROWID`: an integer for sure. */
export type ColumnHint = Affinity | "ROWID";

type StorageClass = "integer" | "real" | "text" | "null" | "blob";

/** SQL by what a value is. `integer` is NULL for NULL. */
type SqlByClass = { readonly [Class in StorageClass]: string };

const LIKELY: { readonly [Hint in Affinity]: readonly StorageClass[] } = {
  INTEGER: ["integer", "null", "real", "text", "blob"],
  REAL: ["real", "null", "integer", "text", "blob"],
  TEXT: ["text", "null", "blob", "integer", "real"],
  BLOB: ["blob", "null", "text", "integer", "real"],
  NUMERIC: ["integer", "real", "text", "null", "blob"],
};
/** Of text and BLOBs in columns for numbers no more is loaded without a look at the length of the row. */
const MAX_ODD_BYTES = 200;
/** What stands for those that are longer. */
const TOO_LONG = "char(0)";

/** SQL that chooses by the storage class of a column's value, the likeliest first. */
export function typeCaseSql(column: string, hint: ColumnHint, sql: SqlByClass): string {
  if (hint === "ROWID") return sql.integer;
  const arms = LIKELY[hint].map((type) => `WHEN '${type}' THEN ${sql[type]}`);
  return `CASE typeof(${column}) ${arms.join(" ")} END`;
}

/**
 * The same without a function call for most values of columns with a type: comparing takes half the time. Where a column for numbers holds
 * something long, it is NUL.
 * @param sql `plainReal`: right for reals that are neither 0 nor beyond 1e300 nor below 1e-290.
 */
export function likelyCaseSql(
  column: string,
  hint: ColumnHint,
  sql: SqlByClass & { readonly plainReal: string },
): string {
  // The column's own collation may be one that is not here. With `+` nothing is compared as what it could be turned into: the column may have
  // had another type when a value came.
  const value = `+${column} COLLATE BINARY`;
  const short = (text: string): string =>
    `CASE WHEN octet_length(${column}) <= ${MAX_ODD_BYTES} THEN ${text} ELSE ${TOO_LONG} END`;
  const odd = { ...sql, text: short(sql.text), blob: short(sql.blob) };
  switch (hint) {
    case "INTEGER":
      // Of the reals that are whole, these columns keep the lowest integer's alone as a real.
      return (
        `CASE WHEN ${value} IS +CAST(${column} AS INTEGER) AND ${value} IS NOT -9223372036854775808 ` +
        `THEN ifnull(${sql.integer}, ${sql.null}) ELSE ${typeCaseSql(column, hint, odd)} END`
      );
    case "REAL":
      return (
        `CASE WHEN ${value} BETWEEN 1e-290 AND 1e300 OR ${value} BETWEEN -1e300 AND -1e-290 ` +
        `THEN ${sql.plainReal} ELSE ${typeCaseSql(column, hint, odd)} END`
      );
    case "TEXT":
      // No number stays one in such a column, and BLOBs come after text.
      return `CASE WHEN ${value} < x'' THEN ${sql.text} WHEN ${column} IS NULL THEN ${sql.null} ELSE ${sql.blob} END`;
    default:
      return typeCaseSql(column, hint, sql);
  }
}
