import type { PageSyncProgress } from "../page-client.js";

export type SyncPhase = PageSyncProgress["phase"];

/** The least time between two reports of one phase. */
const PAUSE_MS = 100;

/** Tells how far a sync is: at once when a phase begins, then at most every tenth of a second, and last what it ended with. */
export class SyncProgress {
  readonly #tell: (progress: PageSyncProgress) => void;
  readonly #traffic: { readonly bytesSent: number; readonly bytesReceived: number };
  #last: PageSyncProgress | undefined;
  #isTold = true;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(
    tell: (progress: PageSyncProgress) => void,
    traffic: { readonly bytesSent: number; readonly bytesReceived: number },
  ) {
    this.#tell = tell;
    this.#traffic = traffic;
  }

  report(phase: SyncPhase, pagesDone: number, pagesTotal: number | null, pageSize: number): void {
    const isNew = this.#last?.phase !== phase;
    if (isNew) this.flush();
    const { bytesSent, bytesReceived } = this.#traffic;
    this.#last = { phase, pagesDone, pagesTotal, pageSize, bytesSent, bytesReceived };
    this.#isTold = false;
    if (isNew || performance.now() - this.#toldAt >= PAUSE_MS) this.flush();
  }

  /** Tells what was kept back. */
  flush(): void {
    if (this.#isTold || this.#last === undefined) return;
    this.#isTold = true;
    this.#toldAt = performance.now();
    this.#tell(this.#last);
  }
}
