import type { ColumnHint } from "./type-case.js";

/** How one format writes a value. SQL does it for all but the longest and the oddest. */
export interface ValueFormat {
  /** SQL for the text of a column's value. It may be wrong for odd values if {@link isSure} sees that in what comes of it. */
  quick(column: string, hint: ColumnHint): string;
  /** SQL that is right for every value, where there is such; else rows that are not sure are written value by value. */
  readonly careful: ((column: string, hint: ColumnHint) => string) | null;
  /** Whether what {@link quick} made of some rows is right. */
  isSure(text: Buffer): boolean;
  /** The last touch to what SQL made. */
  finish(text: Buffer): Buffer;
  /** A value of any length and content, in pieces. */
  write(value: LongValue): Generator<Buffer>;
  /** What it counts towards the longest row that the format may have, in bytes: about the text that {@link write} makes of it, or 0. */
  lengthOf(value: LongValue): number;
}

/** Text or a BLOB that is not held in memory. */
export interface LongValue {
  readonly type: "text" | "blob";
  /** As stored. */
  readonly byteLength: number;
  /** Its bytes, piece by piece: text as UTF-8. May be asked for more than once. */
  pieces(): Generator<Buffer>;
  /** Its bytes as they are stored: UTF-16 in a database in UTF-16. */
  storedPieces(): Generator<Buffer>;
  /** Whether SQL with the value as `v` holds. */
  holds(condition: (column: string) => string): boolean;
}
