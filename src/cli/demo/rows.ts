import { isDeepStrictEqual } from "node:util";
import { type PullResult, pull } from "@drakkar.software/starfish-server";
import type { CollectionStatus } from "../../manager/collection-status.js";
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
  /** `null` where local writes are not sent on. */
  readonly outbox: OutboxRow | null;
  /** The code of the last error, of what still fails where something does. */
  readonly lastError: string | null;
  /** Nothing fails any more. */
  readonly recovered: boolean;
}

/** What is known about the local writes that are to go to the primary. */
export interface OutboxRow {
  /** A write is still here only. */
  readonly waiting: boolean;
  /** Writes that the primary has taken. */
  readonly sent: number;
  /** Why the primary will never take what is here; `null` where it has not said so. */
  readonly deadLetter: string | null;
}

/** Looks at both stores rather than at both servers: a read would make a collection with `on_pull` sync. */
export async function readRows({ primary, replica }: Pick<Cluster, "primary" | "replica">): Promise<Row[]> {
  const { manager } = replica.plugin;
  return await Promise.all(
    manager.status().map(async (status) => {
      const { collection, writeMode: mode, outbox } = status;
      const [local, remote] = await Promise.all([pull(replica.store, collection), pull(primary.store, collection)]);
      const relation = relate(local, remote);
      const [failing] = [status, outbox].filter((one) => one?.consecutiveFailures);
      return {
        collection,
        mode,
        localHash: local.hash || null,
        primaryHash: remote.hash || null,
        relation,
        stalenessMs: manager.policyFor(collection)?.pulls ? status.stalenessMs : null,
        outbox: outbox && {
          // What both have alike does not wait, also where the outbox has not looked again yet.
          waiting: outbox.pendingSince !== null && relation !== "same",
          sent: outbox.sent,
          deadLetter: outbox.deadLetter?.code ?? null,
        },
        lastError: (failing ?? latest(status, outbox)).lastError?.code ?? null,
        recovered: failing === undefined,
      };
    }),
  );
}

type Failures = Pick<CollectionStatus, "lastError" | "consecutiveFailures">;

function latest(pulls: Failures, sends: Failures | null): Failures {
  return (sends?.lastError?.at ?? "") > (pulls.lastError?.at ?? "") ? (sends ?? pulls) : pulls;
}

function relate(local: PullResult, remote: PullResult): Row["relation"] {
  if (!local.hash || !remote.hash) return null;
  if (local.hash === remote.hash) return "same";
  return Object.entries(remote.data).every(([field, value]) => isDeepStrictEqual(local.data[field], value))
    ? "merged"
    : "differs";
}
