import { ReplicaError } from "../errors.js";
import { isJsonObject, type JsonObject } from "../protocol/json-object.js";
import { sanitise } from "./sanitise.js";
import type { MergeInput } from "./three-way-merge.js";

/**
 * Replaces the merge of a `bidirectional` or `push_only` collection. Gets copies, gives back the merged `data`. It must be pure, and
 * merging its result again must change nothing, since a merge is repeated after a crash.
 */
export type MergeRule = (input: MergeInput) => JsonObject;

/**
 * Applies a collection's own rule and does not trust what it gives.
 * @throws MERGE_FAILED where it throws, or gives anything but a JSON object
 */
export function applyMergeRule(rule: MergeRule, input: MergeInput): JsonObject {
  let merged: unknown;
  try {
    merged = rule(structuredClone(input));
  } catch (cause) {
    throw new ReplicaError("MERGE_FAILED", `the collection's own merge threw: ${String(cause)}`, {
      cause,
      retryable: true,
    });
  }
  // Whatever JSON cannot hold must not get into a hash.
  const data: unknown = isJsonObject(merged) && !("then" in merged) ? JSON.parse(JSON.stringify(merged)) : null;
  if (isJsonObject(data)) return sanitise(data);
  throw new ReplicaError("MERGE_FAILED", "the collection's own merge gave no JSON object", {
    retryable: true,
    hint: "`merge` must return the merged data itself, not a promise.",
  });
}
