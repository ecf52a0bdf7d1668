import type { ServerSession } from "./server-session.js";

export interface PushServerOptions {
  /** Id of the database that is being pushed. */
  readonly database: string;
  /** How large it may be, in bytes. */
  readonly maxBytes: number;
}

/** The session of a server that is pushed to. */
export function createPushServer(_options: PushServerOptions): ServerSession {
  throw new Error("under construction");
}
