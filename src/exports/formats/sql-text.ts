/** A SQL string literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Below what every SQLite takes, 127. */
const MAX_ARGUMENTS = 100;

/** The texts of the expressions one after another, as one expression however many they are. NULL counts as nothing. */
export function concatSql(expressions: readonly string[]): string {
  let parts = [...expressions];
  while (parts.length > 1) {
    const joined: string[] = [];
    for (let from = 0; from < parts.length; from += MAX_ARGUMENTS) {
      joined.push(`concat(${parts.slice(from, from + MAX_ARGUMENTS).join(",")})`);
    }
    parts = joined;
  }
  return parts[0] ?? "''";
}

/** The sum, as a tree that stays far from SQLite's limit of depth. */
export function sumSql(expressions: readonly string[]): string {
  if (expressions.length <= MAX_ARGUMENTS) return expressions.length === 0 ? "0" : `(${expressions.join("+")})`;
  const sums: string[] = [];
  for (let from = 0; from < expressions.length; from += MAX_ARGUMENTS) {
    sums.push(sumSql(expressions.slice(from, from + MAX_ARGUMENTS)));
  }
  return sumSql(sums);
}
