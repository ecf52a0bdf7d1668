/** What a route itself refuses, before anything is asked of the replication. */
export type RouteErrorCode =
  | "UNAUTHORIZED"
  | "NOT_FOUND"
  | "METHOD_NOT_ALLOWED"
  | "BODY_TOO_LARGE"
  | "INVALID_REQUEST"
  | "NOT_ACCEPTABLE"
  | "PRECONDITION_FAILED"
  | "RANGE_NOT_SATISFIABLE"
  | "CLIENT_GONE";

/** An answer that is an error, thrown from anywhere in a route. */
export class RouteError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Goes into the body beside `error` and `code`. */
  readonly more: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    message: string,
    { headers = {}, more = {} }: Partial<Pick<RouteError, "headers" | "more">> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.more = more;
  }
}

/** A body or parameter that cannot be used. */
export function invalidRequest(message: string): RouteError {
  return new RouteError(400, "INVALID_REQUEST" satisfies RouteErrorCode, message);
}
