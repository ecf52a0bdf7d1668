import type { LoggedRequest } from "./request-log.js";

/** A part of `METHOD /path?query`, a pattern on it, fields that must be equal, or a predicate. */
export type RequestFilter =
  | string
  | RegExp
  | Partial<Pick<LoggedRequest, "method" | "path" | "search" | "status" | "state">>
  | ((request: LoggedRequest) => boolean);

/** Whether `request` is one that `filter` means. */
export function matchesRequest(request: LoggedRequest, filter: RequestFilter): boolean {
  const line = `${request.method} ${request.path}${request.search}`;
  if (typeof filter === "string") return line.includes(filter);
  if (filter instanceof RegExp) return new RegExp(filter.source, filter.flags.replace(/[gy]/g, "")).test(line);
  if (typeof filter === "function") return filter(request);
  return Object.entries(filter).every(([key, value]) => request[key as keyof LoggedRequest] === value);
}
