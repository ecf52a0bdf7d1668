type Coding = "gzip" | "identity";

/**
 * How an answer is to be coded after `Accept-Encoding`; `null` where neither form is wanted. Of two that are wanted alike it is gzip.
 * https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
 */
export function chooseCoding(header: string | undefined): Coding | null {
  if (header === undefined) return "identity";
  const weights = new Map<string, number>();
  for (const member of header.split(",")) {
    const [coding = "", ...parameters] = member.split(";").map((part) => part.trim().toLowerCase());
    const weight = weightOf(parameters);
    if (coding !== "" && weight !== null) weights.set(coding === "x-gzip" ? "gzip" : coding, weight);
  }
  const others = weights.get("*");
  const gzip = weights.get("gzip") ?? others ?? 0;
  // Nobody has to name it; only who does, or excludes all the rest, says how much it is wanted.
  const identity = weights.get("identity") ?? (others === 0 ? 0 : Number.MIN_VALUE);
  if (gzip === 0 && identity === 0) return null;
  return gzip >= identity ? "gzip" : "identity";
}

/** `null` for what is no weight. */
function weightOf(parameters: readonly string[]): number | null {
  const [parameter, ...others] = parameters;
  if (parameter === undefined) return 1;
  const weight = /^q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.exec(parameter)?.[1];
  return weight === undefined || others.length > 0 ? null : Number(weight);
}
