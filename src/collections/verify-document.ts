import { type ReplicaError, toReplicaError } from "../errors.js";
import { documentHash } from "../protocol/canonical-json.js";
import type { CollectionSettings } from "./collection-settings.js";
import type { MergeableCopy } from "./merge-state.js";
import type { PrimaryClient } from "./primary-client.js";

/** How one local document compares with its primary's. */
export interface Verification {
  readonly name: string;
  /**
   * `equal`: the same content. `different`: not the same. `missing_here`, `missing_there`: only one side has a document; `missing`: neither
   * has. `unknown`: the primary or the local store failed; see `error`.
   */
  readonly result: "equal" | "different" | "missing_here" | "missing_there" | "missing" | "unknown";
  /** Hash that the local document stands under; `null` for none. */
  readonly localHash: string | null;
  /** The primary's hash; `null` for none, or where it is not known. */
  readonly primaryHash: string | null;
  readonly error: ReplicaError | null;
}

interface Verifiable {
  readonly settings: CollectionSettings;
  /** What is sent to the primary: the clients' document, or the merge of it where they only write. */
  readonly local: MergeableCopy;
  readonly primary: PrimaryClient;
}

/** Looks at both sides and changes neither. Never rejects. */
export async function verifyDocument(
  { settings, local, primary }: Verifiable,
  signal: AbortSignal,
): Promise<Verification> {
  const { name } = settings;
  let localHash: string | null = null;
  try {
    const { document } = await local.read();
    localHash = document?.hash ?? null;
    const pulled = await primary.pull(localHash, signal);
    if (pulled.kind === "unchanged") return { name, result: "equal", localHash, primaryHash: localHash, error: null };
    if (pulled.kind === "missing") {
      return { name, result: document ? "missing_there" : "missing", localHash, primaryHash: null, error: null };
    }
    const primaryHash = pulled.document.hash;
    if (!document) return { name, result: "missing_here", localHash, primaryHash, error: null };
    // One content may stand under two hashes where the primary hides fields from us.
    const equal = documentHash(document.data) === documentHash(pulled.document.data);
    return { name, result: equal ? "equal" : "different", localHash, primaryHash, error: null };
  } catch (error) {
    const failure = toReplicaError(error, "CHANNEL_FAILED", name);
    return { name, result: "unknown", localHash, primaryHash: null, error: failure };
  }
}
