/**
 * Whether a double gives a decimal back digit for digit, but for zeros at its ends. PostgreSQL writes `numeric` without exponents.
 * @param value what `Number(text)` gives.
 */
export function isExactAsDouble(text: string, value: number): boolean {
  // A double keeps any 15 digits.
  if (text.length <= 15) return true;
  const digits = significant(text);
  if (digits.length <= 15 && digits !== "") return value !== 0 && Number.isFinite(value);
  if (!Number.isFinite(value)) return false;
  const [mantissa = ""] = String(value).split("e");
  if (significant(mantissa) === digits) return true;
  return Number.isInteger(value) && significant(BigInt(value).toString()) === digits;
}

function significant(text: string): string {
  return text.replace(/[-.]/g, "").replace(/^0+/, "").replace(/0+$/, "");
}
