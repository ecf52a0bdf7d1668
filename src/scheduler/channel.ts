import type { SyncContext } from "./sync-context.js";

export interface SyncOutcome {
  /** Whether the local copy is different from before. */
  readonly changed: boolean;
  /** Documents, rows or pages looked at, as the kind of channel counts. */
  readonly items: number;
  /** Bytes that came from the source. */
  readonly bytes: number;
  /** Nothing was tried: the run says nothing about whether the source is well, and does not end a back-off that grows. */
  readonly idle?: boolean;
  /** There is more to fetch: run again at once. */
  readonly more?: boolean;
  /** With `more`: do not let others of the group in between, since something is held open that they may wait for. */
  readonly hold?: boolean;
}

/** Makes one local copy match its source. The scheduler decides when. */
export interface Channel {
  /** Unique within one scheduler. */
  readonly name: string;
  /** What a run does, for events. Default `pull`. */
  readonly work?: string;
  /** One bounded unit of work towards the source's state. Safe to repeat, safe to abort at any await. */
  sync(context: SyncContext): Promise<SyncOutcome>;
  /** For a source that can say "something changed": call `wake()`, as often as you like, until `signal` aborts. */
  watch?(wake: () => void, signal: AbortSignal): Promise<void>;
  /** Gives back what the channel holds. Called once by `stop()`, after the last run has ended. */
  close?(): Promise<void>;
}
