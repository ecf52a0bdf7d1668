/** The bytes of -0.0 are kept by SQLite, but no function prints its sign. */
export function isNegativeZeroSql(column: string): string {
  return `atan2(${column}, -1) < 0`;
}

/** SQL for a real's text that gives back the same bits: 17 digits where they are needed. */
export function realSql(column: string, infinity: string): string {
  return (
    `CASE WHEN abs(${column}) > 1e300 THEN CASE abs(${column}) WHEN 9e999 THEN iif(sign(${column}) > 0, ` +
    `'${infinity.replace("%", "")}', '${infinity.replace("%", "-")}') ELSE quote(${column}) END ` +
    `WHEN abs(${column}) = 0.0 THEN CASE WHEN ${isNegativeZeroSql(column)} THEN '-0.0' ELSE '0.0' END ELSE quote(${column}) END`
  );
}
