import { ReplicaError } from "../errors.js";
import type { ChangeFeed } from "../feeds/change-feed.js";
import type { Channel } from "../scheduler/channel.js";
import type { PageClient } from "./page-client.js";

/** What `createPageChannel` takes. */
export interface PageChannelOptions {
  /** Of the channel, unique within one scheduler. */
  readonly name: string;
  readonly client: PageClient;
  /** Path of the SQLite file that follows the server's database. */
  readonly file: string;
  /** A sync token for a pull, or what gets one: asked before each sync, since tokens end. */
  readonly token: string | (() => Promise<string>);
  /** Where the server announces its commits: for the `on_change` trigger. */
  readonly feed?: ChangeFeed;
  /** Id of the database, whose commits wake the channel. Default: learned from the first sync. */
  readonly database?: string;
  /** As in `PageSyncRequest`. */
  readonly force?: boolean;
  readonly check?: boolean;
}

/**
 * Keeps a local file following a database on a page server, on the scheduler's triggers: each run is a pull. The client stays the caller's to close.
 * @throws ConfigurationError with all that is wrong with the options
 */
export function createPageChannel(_options: PageChannelOptions): Channel {
  throw new ReplicaError("WORKER_FAILED", "not built yet");
}
