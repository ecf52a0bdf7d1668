/** One HTTP request to a primary. */
export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends the request; the error is then the signal's `reason`. */
  readonly signal: AbortSignal;
  /** Deadline from the first byte out to the last byte in, in milliseconds. */
  readonly timeoutMs: number;
  /** Limit on the decoded body. */
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly header: (name: string) => string | null;
  readonly body: string;
  /** Length of the decoded body. */
  readonly bytes: number;
}

/**
 * Sends one request, follows no redirect, reads the whole answer.
 * @throws PRIMARY_UNREACHABLE, PRIMARY_TIMEOUT, ANSWER_TOO_LARGE, ANSWER_INVALID, or the signal's reason
 */
export interface Transport {
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Closes idle connections. The transport may be used again afterwards. */
  close(): Promise<void>;
}
