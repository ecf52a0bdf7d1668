import { ReplicaError } from "../errors.js";
import type { SyncOutcome } from "../scheduler/channel.js";

/** Work that may take longer than one call for it may last. */
export interface SlicedWork {
  /**
   * Begins the work where none is under way, and waits for its end for as long as a slice: then it resolves with `more`, and the work goes on.
   * @throws what the work throws; the work ends with `signal`
   */
  goOn(signal: AbortSignal): Promise<SyncOutcome>;
  /** Ends what is under way, and resolves when it has ended. */
  end(): Promise<void>;
}

interface UnderWay {
  readonly abort: AbortController;
  readonly done: Promise<SyncOutcome>;
}

const MORE: SyncOutcome = { changed: false, items: 0, bytes: 0, more: true };

export function createSlicedWork(begin: (signal: AbortSignal) => Promise<SyncOutcome>, sliceMs: number): SlicedWork {
  let underWay: UnderWay | null = null;

  const start = (): UnderWay => {
    const abort = new AbortController();
    const done = begin(abort.signal);
    // It may fail between two slices: the next one says so.
    done.catch(() => {});
    return { abort, done };
  };

  return {
    async goOn(signal) {
      const current = underWay ?? start();
      underWay = current;
      const abort = (): void => current.abort.abort(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      let timer: NodeJS.Timeout | undefined;
      const slice = new Promise<null>((resolve) => {
        timer = setTimeout(resolve, sliceMs, null);
      });
      try {
        const outcome = await Promise.race([current.done, slice]);
        if (outcome === null && !signal.aborted) return MORE;
        const ended = outcome ?? (await current.done);
        underWay = null;
        return ended;
      } catch (error) {
        underWay = null;
        throw error;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      }
    },
    async end() {
      underWay?.abort.abort(new ReplicaError("STOPPED", "Stopped while it was under way"));
      await underWay?.done.catch(() => {});
      underWay = null;
    },
  };
}
