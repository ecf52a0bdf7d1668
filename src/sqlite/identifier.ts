/**
 * The name as SQL, whatever is in it.
 * @throws `TypeError` for a name with a NUL character, which SQLite would cut there.
 */
export function quoteIdentifier(name: string): string {
  if (name.includes("\0")) throw new TypeError("A name with a NUL character cannot be used in SQLite");
  return `"${name.replaceAll('"', '""')}"`;
}

/** The name as SQLite compares names: A to Z like a to z, everything else exactly. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Why columns with these names cannot stand in one SQLite table, as the end of a sentence that begins with their table; else `null`. */
export function columnNamesMistake(names: readonly string[]): string | null {
  const seen = new Map<string, string>();
  for (const name of names) {
    if (name.includes("\0")) return `has a column ${JSON.stringify(name)}, whose name SQLite cannot keep`;
    const other = seen.get(foldName(name));
    if (other !== undefined) {
      return `has columns "${other}" and "${name}", which are one name for SQLite: leave one out with \`columns\``;
    }
    seen.set(foldName(name), name);
  }
  return names.length === 0 ? "has no columns" : null;
}
