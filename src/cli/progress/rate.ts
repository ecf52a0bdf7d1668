/** So far back: long enough to be steady, short enough to notice a change. */
const WINDOW_MS = 8_000;
const SAMPLE_EVERY_MS = 250;
/** Less says nothing about what comes. */
const MIN_SPAN_MS = 400;

/** How fast something grows. */
export interface Rate {
  /** A value that is less than the last begins anew. */
  add(value: number): void;
  /** Per second, over the last seconds; `null` until that can be said. */
  perSecond(): number | null;
}

export function createRate(now: () => number = () => performance.now()): Rate {
  let samples: { at: number; value: number }[] = [];
  let latest = 0;
  return {
    add(value) {
      if (value < latest) samples = [];
      latest = value;
      const at = now();
      const last = samples.at(-1);
      if (last === undefined || at - last.at >= SAMPLE_EVERY_MS) samples.push({ at, value });
      while (samples.length > 2 && at - (samples[1]?.at ?? at) > WINDOW_MS) samples.shift();
    },
    perSecond() {
      const first = samples[0];
      // Until now, not until the last sample: what has stalled slows down.
      const spanMs = first === undefined ? 0 : now() - first.at;
      return first === undefined || spanMs < MIN_SPAN_MS ? null : ((latest - first.value) / spanMs) * 1_000;
    },
  };
}
