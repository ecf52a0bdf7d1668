/** A hash goes into `If-None-Match` between quotes: printable ASCII without the quote. */
const HASH = /^[\x21\x23-\x7e]{1,256}$/;

/** Whether a value can be a document's hash on the wire. The empty string, which says "no document", is none. */
export function isDocumentHash(value: unknown): value is string {
  return typeof value === "string" && HASH.test(value);
}
