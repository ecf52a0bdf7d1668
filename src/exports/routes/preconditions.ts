/** An entity tag as it stands in a header, weak or not. https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3 */
const ENTITY_TAGS = /(W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/** What a request's conditions come to. */
export interface Preconditions {
  readonly outcome: "go-on" | "not-modified" | "failed";
  /** Whether `Range` counts. */
  readonly range: boolean;
}

/** Checks them for a file with this strong entity tag. https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2 */
export function checkPreconditions(headers: Pick<Headers, "get">, etag: string): Preconditions {
  const match = headers.get("if-match");
  if (match !== null && match.trim() !== "*" && !tagsIn(match).includes(etag))
    return { outcome: "failed", range: false };
  const noneMatch = headers.get("if-none-match");
  // Weak and strong are alike here.
  const has = noneMatch !== null && (noneMatch.trim() === "*" || tagsIn(noneMatch).some((tag) => tag.endsWith(etag)));
  if (has) return { outcome: "not-modified", range: false };
  const ifRange = headers.get("if-range");
  // A date is never ours: the file has none that a client was told.
  return { outcome: "go-on", range: ifRange === null || ifRange.trim() === etag };
}

function tagsIn(header: string): string[] {
  return header.match(ENTITY_TAGS) ?? [];
}
