/**
 * Text that came from elsewhere as it may go to a terminal: on one line, without control characters, which could move the cursor, change the
 * window's title or turn the direction of writing; cut at `length`.
 */
export function printable(text: string, length = 1_000): string {
  const clean = text.replace(/\s*[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+\s*/gu, " ").trim();
  return clean.length > length ? `${clean.slice(0, length - 1)}…` : clean;
}
