import type { MergeRule } from "./modes/merge-rule.js";
import type { WriteMode } from "./modes/write-mode.js";
import type { Trigger } from "./scheduler/trigger.js";

/** What makes a collection sync, beside `start()` and `syncNow`. */
export type SyncTrigger = Trigger;

/** One collection's primary and how it is followed. Times are in milliseconds. */
export interface RemoteConfig {
  /** Base URL of the primary, for instance `https://primary.example.com/v1`. Credentials belong in `headers`. */
  readonly url: string;
  /** Pull path on the primary, for instance `/pull/posts/featured`. No template variables. */
  readonly pullPath: string;
  /** Push path on the primary. Required for `push_through` and `bidirectional`. */
  readonly pushPath?: string;
  /** Time between two scheduled syncs. Default 60 000. */
  readonly intervalMs?: number;
  /** Sent with every request to the primary, for instance `Authorization`. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly writeMode: WriteMode;
  readonly syncTriggers: readonly SyncTrigger[];
  /** Cool-down of `on_pull`, from the last completed sync, whether it changed anything or failed. Default 0. */
  readonly onPullMinIntervalMs?: number;
  /** How long a read with `on_pull` waits for the sync before it is answered from the local copy. Default 2 000. */
  readonly onPullMaxWaitMs?: number;
  /** Deadline of one request to the primary. Default: the manager's, 30 000. */
  readonly requestTimeoutMs?: number;
  /** Limit on an answer of the primary, decoded. Default: the manager's, 64 MiB. */
  readonly maxDocumentBytes?: number;
  /**
   * Replaces the merge of `bidirectional` and `push_only`: gets copies of the common base (or `null`), the local and the primary's data, and
   * returns the merged data. Must be pure; merging its result again must change nothing. Default: the three-way merge.
   */
  readonly merge?: MergeRule;
  /** What becomes of the local copy when the primary has no document any more. `remove` needs a mode that replaces. Default `keep`. */
  readonly missing?: "keep" | "remove";
  /** How long, and for no fewer than three polls, the document must be gone before `remove` believes it. Default 60 000. */
  readonly missingGraceMs?: number;
}

/** Remotes of namespaced collections: namespace, then collection. */
export type NamespaceRemotes = Readonly<Record<string, Readonly<Record<string, RemoteConfig>>>>;

export interface ReplicationOptions {
  /** Collections of namespaces to replicate. Default none. */
  readonly namespaces?: NamespaceRemotes;
  /** Key prefix of our own records in the store. Default `_replica`. */
  readonly statePrefix?: string;
}

export const DEFAULT_STATE_PREFIX = "_replica";
