/** A document's `data`. */
export type Document = Readonly<Record<string, unknown>>;

/** What both sides did since they last were in step, and what must come of it. */
export interface Merge {
  /** The document that both sides had; `null`: they never met. */
  readonly base: Document | null;
  readonly local: Document | null;
  readonly remote: Document;
  readonly merged: Document;
  /** What comes of it when, before the merge, a client replaces all that it sees by `{ left: 1 }`. */
  readonly wiped: Document;
}

/** Merges of every kind, by what happened. */
export const merges: Readonly<Record<string, Merge>> = {
  "both sides changed": {
    base: { a: 1, b: 1, c: 1, deep: { x: 1, y: 1 } },
    local: { a: 2, b: 1, c: 2, deep: { x: 2, y: 1 } },
    remote: { a: 1, b: 3, c: 3, deep: { x: 1, y: 3 } },
    merged: { a: 2, b: 3, c: 3, deep: { x: 2, y: 3 } },
    wiped: { b: 3, c: 3, deep: { x: 1, y: 3 }, left: 1 },
  },
  "the local side deleted": {
    base: { a: 1, b: 1, c: 1 },
    local: { b: 1, c: 1 },
    remote: { a: 1, b: 2, c: 1 },
    merged: { b: 2, c: 1 },
    wiped: { b: 2, left: 1 },
  },
  "the primary deleted": {
    base: { a: 1, b: 1, c: 1 },
    local: { a: 1, b: 1, c: 2 },
    remote: { b: 1, c: 1 },
    merged: { b: 1, c: 2 },
    wiped: { left: 1 },
  },
  "each side deleted something": {
    base: { a: 1, b: 1, c: 1, d: 1 },
    local: { b: 1, c: 1, d: 2 },
    remote: { a: 1, c: 1, d: 1 },
    merged: { c: 1, d: 2 },
    wiped: { left: 1 },
  },
  "both deleted the same, and each added something": {
    base: { a: 1, b: 1 },
    local: { b: 1, l: 1 },
    remote: { b: 1, r: 1 },
    merged: { b: 1, l: 1, r: 1 },
    wiped: { r: 1, left: 1 },
  },
  "only the primary changed": {
    base: { a: 1, b: 1 },
    local: { a: 1, b: 1 },
    remote: { b: 2 },
    merged: { b: 2 },
    wiped: { b: 2, left: 1 },
  },
  "only the local side changed": {
    base: { a: 1, b: 1 },
    local: { a: 2 },
    remote: { a: 1, b: 1, touched: 1 },
    merged: { a: 2, touched: 1 },
    wiped: { touched: 1, left: 1 },
  },
  "both came to the same": {
    base: { a: 1 },
    local: { a: 2 },
    remote: { a: 2 },
    merged: { a: 2 },
    wiped: { a: 2, left: 1 },
  },
  "they never met": {
    base: null,
    local: { a: 1, deep: { l: 1 } },
    remote: { a: 2, deep: { r: 1 } },
    merged: { a: 2, deep: { l: 1, r: 1 } },
    wiped: { a: 2, deep: { r: 1 }, left: 1 },
  },
  "there is no local document": {
    base: null,
    local: null,
    remote: { a: 1 },
    merged: { a: 1 },
    wiped: { a: 1, left: 1 },
  },
};
