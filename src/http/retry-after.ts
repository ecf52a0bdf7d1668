/** A longer wish is a mistake of the primary's, and must not put a collection to sleep for days. */
const LONGEST_MS = 3_600_000;

/** `Retry-After`: seconds or an HTTP date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after At most an hour. */
export function parseRetryAfter(value: string | null): number | null {
  const text = value?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Math.min(LONGEST_MS, Number(text) * 1_000);
  const date = text === "" ? Number.NaN : Date.parse(text);
  return Number.isNaN(date) ? null : Math.min(LONGEST_MS, Math.max(0, date - Date.now()));
}
