/**
 * Joins a caller's signal and a deadline for the length of one request. Rejects when either is reached, also where `work` does not heed
 * the signal it gets. Nothing stays on the caller's signal.
 */
export async function withDeadline<T>(
  signal: AbortSignal,
  timeoutMs: number,
  expired: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const joined = new AbortController();
  const cut = new Promise<never>((_, reject) => {
    joined.signal.addEventListener("abort", () => reject(joined.signal.reason), { once: true });
  });
  const forward = (): void => joined.abort(signal.reason);
  signal.addEventListener("abort", forward, { once: true });
  const timer = setTimeout(() => joined.abort(expired()), timeoutMs);
  try {
    return await Promise.race([work(joined.signal), cut]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", forward);
  }
}
