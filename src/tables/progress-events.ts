import { channel, type Channel as DiagnosticsChannel } from "node:diagnostics_channel";
import type { ProgressHandler, TableProgress } from "./copy/table-engine.js";

/** Name of the diagnostics channel on which a `TableProgress` is published. https://nodejs.org/api/diagnostics_channel.html */
export const TABLE_EVENTS = "starfish-replica:tables";

const PERIOD_MS = 250;
const events: DiagnosticsChannel = channel(TABLE_EVENTS);

/** Passes on how far copies are, at most every 250 ms per task; what came last is never held back for longer. */
export class ProgressEvents {
  readonly #handler: ProgressHandler | undefined;
  readonly #pauses = new Map<string, { timer: NodeJS.Timeout; latest: TableProgress | null }>();

  constructor(handler: ProgressHandler | undefined) {
    this.#handler = handler;
  }

  report(progress: TableProgress): void {
    const pause = this.#pauses.get(progress.taskId);
    if (pause) pause.latest = progress;
    else this.#tell(progress);
  }

  /** Leaves no timer behind. */
  close(): void {
    for (const { timer } of this.#pauses.values()) clearTimeout(timer);
    this.#pauses.clear();
  }

  #tell(progress: TableProgress): void {
    const { taskId } = progress;
    const timer = setTimeout(() => {
      const latest = this.#pauses.get(taskId)?.latest;
      this.#pauses.delete(taskId);
      if (latest) this.#tell(latest);
    }, PERIOD_MS).unref();
    this.#pauses.set(taskId, { timer, latest: null });
    if (events.hasSubscribers) events.publish(progress);
    // An async handler is one too, whatever its type says.
    const told = new Promise((resolve) => resolve(this.#handler?.(progress)));
    told.catch((thrown) => process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown))));
  }
}
