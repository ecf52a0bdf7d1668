/** The head of an answer, and its body as it comes. */
export interface StreamAnswer {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** The body's pieces, at the reader's pace. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives the connection up. Safe to call at any time. */
  discard(): void;
}

/** Opens streams; redirects are answers like any other. Rejects with whatever the HTTP client throws, or the signal's reason. */
export interface StreamTransport {
  open(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<StreamAnswer>;
  /** Closes every connection. */
  close(): Promise<void>;
}
