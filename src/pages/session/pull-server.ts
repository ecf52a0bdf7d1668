import type { ServerSession } from "./server-session.js";

export interface PullServerOptions {
  /** Id of the database that is being pulled. */
  readonly database: string;
}

/** The session of a server that is pulled from. */
export function createPullServer(_options: PullServerOptions): ServerSession {
  throw new Error("under construction");
}
