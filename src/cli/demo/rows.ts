import { isDeepStrictEqual } from "node:util";
import { type PullResult, pull } from "@drakkar.software/starfish-server";
import type { WriteMode } from "../../modes/write-mode.js";
import type { Cluster } from "./cluster.js";

/** What is known about one collection at one moment. */
export interface Row {
  readonly collection: string;
  readonly mode: WriteMode;
  /** `null`: there is no document. */
  readonly localHash: string | null;
  readonly primaryHash: string | null;
  /**
   * `same`: one document on both sides. `merged`: the local one has all that is in the primary's, and local writes besides. `differs`:
   * something is still to come in or to go out. `null`: only one side has a document.
   */
  readonly relation: "same" | "merged" | "differs" | null;
  /** `null` before the first sync, and where nothing is pulled. */
  readonly stalenessMs: number | null;
  /** The code of the last error. */
  readonly lastError: string | null;
  /** A sync has gone well since. */
  readonly recovered: boolean;
}

/** Looks at both stores rather than at both servers: a read would make a collection with `on_pull` sync. */
export async function readRows({ primary, replica }: Pick<Cluster, "primary" | "replica">): Promise<Row[]> {
  const { manager } = replica.plugin;
  return await Promise.all(
    manager.status().map(async (status) => {
      const { collection, writeMode: mode, lastError, consecutiveFailures } = status;
      const [local, remote] = await Promise.all([pull(replica.store, collection), pull(primary.store, collection)]);
      return {
        collection,
        mode,
        localHash: local.hash || null,
        primaryHash: remote.hash || null,
        relation: relate(local, remote),
        stalenessMs: manager.policyFor(collection)?.reconcile ? status.stalenessMs : null,
        lastError: lastError?.code ?? null,
        recovered: consecutiveFailures === 0,
      };
    }),
  );
}

function relate(local: PullResult, remote: PullResult): Row["relation"] {
  if (!local.hash || !remote.hash) return null;
  if (local.hash === remote.hash) return "same";
  return Object.entries(remote.data).every(([field, value]) => isDeepStrictEqual(local.data[field], value))
    ? "merged"
    : "differs";
}
