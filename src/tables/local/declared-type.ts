const PLAIN_TYPE = /^[a-z_][a-z0-9_]*( [a-z_][a-z0-9_]*)*( ?\( ?[+-]?\d+ ?(, ?[+-]?\d+ ?)?\))?$/i;
const CONSTRAINT_WORDS =
  /\b(constraint|primary|key|not|null|unique|check|default|collate|references|generated|always|as|on|hidden|autoincrement|deferrable|virtual|stored)\b/i;

/**
 * A column's type as it is written into `CREATE TABLE`. What a SQLite source declares can be any text; where it is not a plain type name,
 * the name of its affinity stands for it. `ANY` becomes no type: only there every value stays what it is.
 */
export function declaredType(targetType: string): string {
  const type = targetType.trim();
  if (type === "" || /^any$/i.test(type)) return "";
  return PLAIN_TYPE.test(type) && !CONSTRAINT_WORDS.test(type) ? type : affinity(type);
}

/** https://sqlite.org/datatype3.html#determination_of_column_affinity */
function affinity(type: string): string {
  if (/int/i.test(type)) return "INTEGER";
  if (/char|clob|text/i.test(type)) return "TEXT";
  if (/blob/i.test(type)) return "BLOB";
  if (/real|floa|doub/i.test(type)) return "REAL";
  return "NUMERIC";
}
