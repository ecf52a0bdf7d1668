/** https://sqlite.org/datatype3.html#determination_of_column_affinity */
export type Affinity = "INTEGER" | "TEXT" | "BLOB" | "REAL" | "NUMERIC";

/** The affinity that SQLite gives a column of this declared type. `BLOB`: values stay what they are. */
export function affinityOf(declaredType: string, strict: boolean): Affinity {
  if (/int/i.test(declaredType)) return "INTEGER";
  if (/char|clob|text/i.test(declaredType)) return "TEXT";
  if (declaredType === "" || /blob/i.test(declaredType)) return "BLOB";
  if (/real|floa|doub/i.test(declaredType)) return "REAL";
  // In a STRICT table ANY takes everything; in others it is a type name like any other that says nothing.
  return strict && /^any$/i.test(declaredType) ? "BLOB" : "NUMERIC";
}
