/** Why a run was started. Callers that join a run under way do not change its reason. */
export type SyncReason = "start" | "scheduled" | "retry" | "on_pull" | "on_change" | "requested" | "sync_all";

export interface SyncContext {
  /** Aborts when the scheduler stops or the run's deadline passes. Its `reason` is the error that the run will fail with. */
  readonly signal: AbortSignal;
  readonly reason: SyncReason;
}
