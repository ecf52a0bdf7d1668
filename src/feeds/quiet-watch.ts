/** Aborts when nobody has said `alive()` for a while. */
export interface QuietWatch {
  alive(): void;
  /** Changes how long the quiet may last, from now on. */
  allow(ms: number): void;
  stop(): void;
}

/** A monotonic clock's watch: jumps of the wall clock do not touch it. */
export function startQuietWatch(ms: number, expired: (ms: number) => void): QuietWatch {
  let allowedMs = ms;
  const start = (): NodeJS.Timeout => setTimeout(() => expired(allowedMs), allowedMs);
  let timer = start();
  return {
    alive: () => void timer.refresh(),
    allow(next) {
      if (next === allowedMs) return;
      clearTimeout(timer);
      allowedMs = next;
      timer = start();
    },
    stop: () => clearTimeout(timer),
  };
}
