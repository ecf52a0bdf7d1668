const FRACTIONS = [".000000", ".000000", "00000", "0000", "000", "00", "0", ""];

/** `2024-01-31`, `44-03-15 BC`, `12024-01-01`, `infinity` as ISO 8601 (expanded years with a sign). */
export function toIsoDate(text: string): string {
  return text.length === 10 && text.charCodeAt(4) === 45 ? text : expand(text, text.endsWith(" BC"));
}

/** `2024-01-31 12:00:00.5` with a `T` and always six fractional digits, so that the order of texts is the order of times. */
export function toIsoTimestamp(text: string): string {
  // The fourth is for `BC` at the end.
  if (text.charCodeAt(10) === 32 && text.charCodeAt(4) === 45 && text.length <= 26 && !text.endsWith("C")) {
    return `${text.slice(0, 10)}T${text.slice(11)}${FRACTIONS[text.length - 19]}`;
  }
  if (text.endsWith("infinity")) return text;
  const bc = text.endsWith(" BC");
  const [date = "", time = ""] = text.split(" ");
  return `${expand(date, bc)}T${time}${FRACTIONS[time.length - 8]}`;
}

/** The same for a time with zone, which our sessions get in UTC (`+00`): it ends in `Z`. */
export function toIsoTimestampUtc(text: string): string {
  if (text.charCodeAt(10) === 32 && text.charCodeAt(4) === 45 && text.length <= 29 && text.endsWith("+00")) {
    return `${text.slice(0, 10)}T${text.slice(11, -3)}${FRACTIONS[text.length - 22]}Z`;
  }
  if (text.endsWith("infinity")) return text;
  return `${toIsoTimestamp(text.replace("+00", ""))}Z`;
}

function expand(text: string, bc: boolean): string {
  if (text.endsWith("infinity")) return text;
  const date = text.replace(" BC", "");
  const end = date.indexOf("-");
  const year = date.slice(0, end);
  const rest = date.slice(end);
  if (bc) {
    // There is no year 0 in PostgreSQL: 1 BC is 0 in ISO 8601.
    const before = Number(year) - 1;
    return `${before === 0 ? "" : "-"}${String(before).padStart(4, "0")}${rest}`;
  }
  return `${year.length > 4 ? "+" : ""}${year}${rest}`;
}
