/** What a selected text is, and so how it is read. */
export type Quantity =
  | "text"
  | "integer"
  | "boolean"
  | "double"
  | "decimal"
  | "bytes"
  | "date"
  | "timestamp"
  | "timestamptz";
