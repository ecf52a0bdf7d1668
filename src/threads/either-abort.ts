/** A signal that lasts for one piece of work. */
export interface WorkSignal {
  readonly signal: AbortSignal;
  /** To be called when the work has ended: it leaves no trace in the signals. */
  release(): void;
}

/** Aborts as the first of these signals does, with its reason. Not `AbortSignal.any`: some versions of Node keep a trace of each in the signals. */
export function eitherAbort(...signals: readonly (AbortSignal | undefined)[]): WorkSignal {
  const given = signals.filter((one) => one !== undefined);
  const abort = new AbortController();
  const stop = (): void => abort.abort(given.find((one) => one.aborted)?.reason);
  for (const one of given) one.addEventListener("abort", stop, { once: true });
  if (given.some((one) => one.aborted)) stop();
  return {
    signal: abort.signal,
    release() {
      for (const one of given) one.removeEventListener("abort", stop);
    },
  };
}
