/** A value as messages show it: short, strings in quotes, the kind of what has parts. A URL may hold a password and is not shown. */
export function showValue(value: unknown): string {
  if (typeof value === "string" && value.includes("://")) return "a URL";
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" ? "a function" : String(value);
}
