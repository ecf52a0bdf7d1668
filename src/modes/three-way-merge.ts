import { isDeepStrictEqual } from "node:util";
import { isJsonObject, type JsonObject } from "../protocol/json-object.js";

export interface MergeInput {
  /** The document both sides started from, or `null` where none is known. */
  readonly base: JsonObject | null;
  readonly local: JsonObject;
  readonly remote: JsonObject;
}

/**
 * The three-way merge. Objects merge field by field, all the way down; arrays and scalars are single values. A field that only one side
 * changed takes that side's value, deletions included; a field that both changed takes the remote's. Without a base: deep merge, remote
 * wins, fields that exist only locally stay.
 *
 * Merging the result again, against the old base or the new one, changes nothing. Neither input is changed; parts of them are shared.
 */
export function mergeThreeWay({ base, local, remote }: MergeInput): JsonObject {
  const merged: JsonObject = {};
  for (const key of new Set([...Object.keys(remote), ...Object.keys(local)])) {
    const value = mergeField(field(base, key), field(local, key), field(remote, key), base !== null);
    if (value !== ABSENT) merged[key] = value;
  }
  return merged;
}

const ABSENT = Symbol("absent");

function mergeField(base: unknown, local: unknown, remote: unknown, hasBase: boolean): unknown {
  if (isJsonObject(local) && isJsonObject(remote)) {
    return mergeThreeWay({ base: isJsonObject(base) ? base : null, local, remote });
  }
  if (!hasBase) return remote === ABSENT ? local : remote;
  if (isDeepStrictEqual(remote, base)) return local;
  return remote;
}

function field(object: JsonObject | null, key: string): unknown {
  return object !== null && Object.hasOwn(object, key) ? object[key] : ABSENT;
}
