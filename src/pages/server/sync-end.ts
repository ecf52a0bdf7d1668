import { ReplicaError } from "../../errors.js";
import type { PageEvent } from "./page-events.js";

/** Why a sync did not complete. */
export interface SyncEnd {
  readonly outcome: Exclude<Extract<PageEvent, { event: "end" }>["outcome"], "completed">;
  /** What the peer is told by an `error` frame, in the words of its session; `null` where nobody is there to read it, or was told already. */
  readonly error: unknown;
  /** Of the WebSocket. https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
  readonly closeCode: number;
}

/** Ends that come from outside the session's own rules. */
export const SYNC_ENDS: {
  readonly gone: SyncEnd;
  /** The peer has sent an `error` frame. */
  readonly gaveUp: SyncEnd;
  /** Against RFC 6455 itself: `PeerWebSocket` has said so. */
  readonly malformed: SyncEnd;
  readonly text: SyncEnd;
  readonly deleted: SyncEnd;
  readonly stopping: SyncEnd;
  idle(idleMs: number): SyncEnd;
} = {
  gone: { outcome: "broken-off", error: null, closeCode: 1006 },
  gaveUp: { outcome: "broken-off", error: null, closeCode: 1000 },
  malformed: { outcome: "refused", error: null, closeCode: 1002 },
  text: {
    outcome: "refused",
    error: new ReplicaError("PAGE_PROTOCOL", "Page sync has binary frames only, and a text came."),
    closeCode: 1003,
  },
  deleted: {
    outcome: "deleted",
    error: new ReplicaError("UNKNOWN_DATABASE", "The database was deleted."),
    closeCode: 1008,
  },
  stopping: { outcome: "stopped", error: new ReplicaError("STOPPED", "The server is stopping."), closeCode: 1001 },
  idle: (idleMs) => ({
    outcome: "idle",
    error: new ReplicaError(
      "PAGE_PROTOCOL",
      `Nothing was sent or taken for ${idleMs / 1_000} seconds. Begin again: a push goes on where it ended.`,
    ),
    closeCode: 1008,
  }),
};

/** Thrown to whoever runs a sync, when it is to end. */
export class SyncInterrupted extends Error {
  readonly end: SyncEnd;

  constructor(end: SyncEnd) {
    super(`The sync ends: ${end.outcome}`);
    this.end = end;
  }
}
