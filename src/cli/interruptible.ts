const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Somebody pressed Ctrl-C, or the process was asked to end in another way. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}

/**
 * Runs work that ends early when the process is asked to end: its signal then aborts with {@link Interrupted}. Asked a second time, the process
 * ends at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stopListening = (): void => {
    for (const name of SIGNALS) process.removeListener(name, stop);
  };
  const stop = (): void => {
    stopListening();
    controller.abort(new Interrupted());
  };
  for (const name of SIGNALS) process.on(name, stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    // Whatever the abort made of it on its way.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    stopListening();
  }
}
