import type { ReplicaErrorCode } from "../../errors.js";
import type { ErrorFrame } from "../protocol/frame.js";
import type { PageEvent } from "./page-events.js";

/** Why a sync did not complete, and what its peer is told. */
export interface SyncEnd {
  readonly outcome: Exclude<Extract<PageEvent, { event: "end" }>["outcome"], "completed">;
  /** `null` where nobody is there to read it, or was told already. */
  readonly lastWords: ErrorFrame | null;
  /** Of the WebSocket. https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
  readonly closeCode: number;
}

/** Ends that come from outside the session's own rules. */
export const SYNC_ENDS: {
  readonly gone: SyncEnd;
  readonly gaveUp: SyncEnd;
  readonly malformed: SyncEnd;
  readonly text: SyncEnd;
  readonly deleted: SyncEnd;
  readonly stopping: SyncEnd;
  idle(idleMs: number): SyncEnd;
} = {
  gone: { outcome: "broken-off", lastWords: null, closeCode: 1006 },
  /** The peer has sent an `error` frame. */
  gaveUp: { outcome: "broken-off", lastWords: null, closeCode: 1000 },
  /** Against RFC 6455 itself: see `PeerWebSocket`. */
  malformed: { outcome: "refused", lastWords: null, closeCode: 1002 },
  text: {
    outcome: "refused",
    lastWords: error("PAGE_PROTOCOL", "Page sync has binary frames only, and a text came"),
    closeCode: 1003,
  },
  deleted: { outcome: "deleted", lastWords: error("UNKNOWN_DATABASE", "The database was deleted"), closeCode: 1008 },
  stopping: {
    outcome: "stopped",
    lastWords: error("STOPPED", "The server is stopping: try again in a moment"),
    closeCode: 1001,
  },
  idle: (idleMs) => ({
    outcome: "idle",
    lastWords: error(
      "RUN_TIMEOUT",
      `Nothing was sent or taken for ${idleMs / 1_000} seconds: begin again, and a push goes on where it ended`,
    ),
    closeCode: 1008,
  }),
};

/** Thrown to whoever runs a sync, when it is to end. */
export class SyncInterrupted extends Error {
  readonly end: SyncEnd;

  constructor(end: SyncEnd) {
    super(end.lastWords?.message ?? "the peer has gone");
    this.end = end;
  }
}

function error(code: ReplicaErrorCode, message: string): ErrorFrame {
  return { kind: "error", message, code };
}
