import type { Trigger } from "./trigger.js";

export interface Schedule {
  readonly triggers: readonly Trigger[];
  /** Milliseconds from the end of one run to the start of the next, with the `scheduled` trigger. Default 60 000. */
  readonly intervalMs?: number;
  /** Cool-down of the `on_pull` trigger in milliseconds, from the last completed run, changed or not, failed or not. Default 0. */
  readonly onPullMinIntervalMs?: number;
  /** How long a read with the `on_pull` trigger waits for the run, in milliseconds. Default 2 000. */
  readonly onPullMaxWaitMs?: number;
  /** Deadline of one `sync` call, in milliseconds. Default 120 000. */
  readonly runTimeoutMs?: number;
}

export const SCHEDULE_DEFAULTS: Required<Omit<Schedule, "triggers">> = {
  intervalMs: 60_000,
  onPullMinIntervalMs: 0,
  onPullMaxWaitMs: 2_000,
  runTimeoutMs: 120_000,
};
