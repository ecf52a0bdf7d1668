/** A value as better-sqlite3 takes and gives it, with integers as `bigint`. */
export type KeyValue = bigint | number | string | Buffer;

/** How a key value of a row is written down: `i` integer, `r` real, `b` BLOB and `t` text in hexadecimal, so that any text comes back. */
export function writeKey(type: string, value: KeyValue): string {
  if (type === "integer") return `i${value}`;
  if (type === "real") return `r${value}`;
  return `${type === "text" ? "t" : "b"}${Buffer.from(value as Buffer).toString("hex")}`;
}

/** The value as a parameter, and the SQL that stands for it: without affinity, so that it is compared as it is stored. */
export function readKey(text: string): { readonly sql: string; readonly value: KeyValue } {
  const rest = text.slice(1);
  switch (text[0]) {
    case "i":
      return { sql: "?", value: BigInt(rest) };
    case "r":
      return { sql: "?", value: Number(rest) };
    case "t":
      return { sql: "+CAST(? AS TEXT)", value: Buffer.from(rest, "hex") };
    case "b":
      return { sql: "?", value: Buffer.from(rest, "hex") };
    default:
      throw new TypeError("Not a position of a dump");
  }
}
