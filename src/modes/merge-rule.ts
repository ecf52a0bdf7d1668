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
  let data: unknown;
  try {
    const merged: unknown = rule(structuredClone(input));
    // Whatever JSON cannot hold must not get into a hash.
    data = isJsonObject(merged) && !("then" in merged) ? JSON.parse(JSON.stringify(merged)) : null;
    if (isJsonObject(data)) return sanitise(data);
  } catch (cause) {
    const message = `the collection's own merge failed: ${String(cause)}`;
    throw new ReplicaError("MERGE_FAILED", message, { cause, retryable: true });
  }
  throw new ReplicaError("MERGE_FAILED", "the collection's own merge gave no JSON object", {
    retryable: true,
    hint: "`merge` must return the merged data itself, not a promise.",
  });
}
