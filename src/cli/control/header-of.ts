import type { IncomingHttpHeaders } from "node:http";

/** The value of a header; of one sent twice the first. */
export function headerOf({ headers }: { readonly headers: IncomingHttpHeaders }, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
