import { ReplicaError } from "../errors.js";
import type { PulledDocument } from "./pull-answer.js";

/** How often a write is tried anew when local writers keep being faster. */
export const WRITE_ATTEMPTS = 10;

/** Where a pulled document goes: one per way of reconciling. */
export interface DocumentTarget {
  /**
   * What to ask the primary with.
   * @returns `hash`: its hash of what we have, `null` for everything; `generation`: to be handed back; `null`: nothing is to be asked
   */
  known(): Promise<{ readonly hash: string | null; readonly generation: number } | null>;
  /** Whether a document of the primary's is what we have, or what we are just sending there. Changes nothing. */
  knows(hash: string): Promise<boolean>;
  /**
   * Takes over the primary's document.
   * @returns whether the local document changed; `superseded`: something newer got in since `known`, so ask again
   * @throws LOCAL_CONFLICT, LOCAL_STORE, MERGE_FAILED, or the signal's reason; nothing is half written
   */
  apply(document: PulledDocument, generation: number, signal: AbortSignal): Promise<boolean | "superseded">;
  /** The primary still has what we know. */
  unchanged(): void;
  /**
   * The primary has no document.
   * @param certain it has said so long enough, and often enough, to remove the local copy
   * @returns whether the local copy was removed
   */
  missing(certain: boolean, generation: number): Promise<boolean>;
  /** Ends what is being written, and begins nothing more until the next `known`. */
  close(): Promise<void>;
}

export function localConflict(name: string): ReplicaError {
  return new ReplicaError("LOCAL_CONFLICT", `${name}: local writers were faster ${WRITE_ATTEMPTS} times in a row`, {
    retryable: true,
  });
}
