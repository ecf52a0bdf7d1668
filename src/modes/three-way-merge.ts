import { isDeepStrictEqual } from "node:util";
import { isJsonObject, type JsonObject } from "../protocol/json-object.js";

export interface MergeInput {
  /** The document both sides started from, or `null` where none is known. */
  readonly base: JsonObject | null;
  readonly local: JsonObject;
  readonly remote: JsonObject;
}

export interface MergeOptions {
  /**
   * Documents that the remote side may hold because of us: pushes whose answers were lost. A remote field that is as in one of them was
   * not changed by anybody else. Default none.
   */
  readonly sent?: readonly JsonObject[];
  /** Who wins a field that both sides changed. Default `remote`. */
  readonly winner?: "remote" | "local";
}

/**
 * The three-way merge. Objects merge field by field, all the way down; arrays and scalars are single values. A field that only one side
 * changed takes that side's value, deletions included; a field that both changed takes the remote's. Without a base: deep merge, remote
 * wins, fields that exist only locally stay.
 *
 * Merging the result again, against the old base or the new one, changes nothing. Neither input is changed; parts of them are shared.
 */
export function mergeThreeWay({ base, local, remote }: MergeInput, options: MergeOptions = {}): JsonObject {
  const { sent = [], winner = "remote" } = options;
  const merged: JsonObject = {};
  for (const key of new Set([...Object.keys(remote), ...Object.keys(local)])) {
    const sides = { base: field(base, key), local: field(local, key), remote: field(remote, key) };
    const ours = sent.map((document) => field(document, key));
    const value = mergeField(sides, { hasBase: base !== null, ours, winner });
    if (value !== ABSENT) merged[key] = value;
  }
  return merged;
}

const ABSENT = Symbol("absent");

interface FieldContext {
  readonly hasBase: boolean;
  readonly ours: readonly unknown[];
  readonly winner: "remote" | "local";
}

function mergeField(sides: Record<"base" | "local" | "remote", unknown>, context: FieldContext): unknown {
  const { base, local, remote } = sides;
  const { hasBase, ours, winner } = context;
  if (isJsonObject(local) && isJsonObject(remote)) {
    return mergeThreeWay(
      { base: isJsonObject(base) ? base : null, local, remote },
      { sent: ours.filter(isJsonObject), winner },
    );
  }
  // What is as we sent it is no change of anybody else's.
  if (ours.some((value) => isDeepStrictEqual(remote, value))) return local;
  if (!hasBase) return remote === ABSENT || (winner === "local" && local !== ABSENT) ? local : remote;
  if (isDeepStrictEqual(remote, base)) return local;
  if (isDeepStrictEqual(local, base)) return remote;
  return winner === "local" ? local : remote;
}

function field(object: JsonObject | null, key: string): unknown {
  return object !== null && Object.hasOwn(object, key) ? object[key] : ABSENT;
}
