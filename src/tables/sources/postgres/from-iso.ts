/** The way back from `time-text.ts`, as PostgreSQL reads it. `null` for a text that is not from there. */
export function fromIso(text: string): string | null {
  if (text === "infinity" || text === "-infinity") return text;
  const match = /^([+-]?)(\d{4,7})(-\d\d-\d\d(?:T[\d:.]{15})?)(Z?)$/.exec(text);
  if (match === null) return null;
  const [, sign, year, rest = "", utc] = match;
  const value = Number(year);
  const tail = `${rest.replace("T", " ")}${utc === "Z" ? "+00" : ""}`;
  if (sign === "-" || value === 0) return `${String(value + 1).padStart(4, "0")}${tail} BC`;
  return `${year}${tail}`;
}
