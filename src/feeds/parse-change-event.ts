import { isJsonObject } from "../protocol/json-object.js";
import type { ChangeEvent } from "./change-feed.js";

/** The event as feeds deliver it, without `params` and whatever else it carried; `null` where the value is no event. */
export function parseChangeEvent(value: unknown): ChangeEvent | null {
  if (!isJsonObject(value)) return null;
  const { collection, namespace = null, key, hash, timestamp } = value;
  if (typeof collection !== "string" || collection === "") return null;
  if (namespace !== null && typeof namespace !== "string") return null;
  if (typeof key !== "string" || typeof hash !== "string") return null;
  if (typeof timestamp !== "number" || !Number.isFinite(timestamp)) return null;
  return { collection, namespace, key, hash, timestamp };
}

/** For `publish`: a caller's mistake is a `TypeError`. */
export function requireChangeEvent(value: unknown): ChangeEvent {
  const event = parseChangeEvent(value);
  if (event === null) {
    throw new TypeError(
      "A change event has `collection`, `namespace` (or null), `key`, `hash` and `timestamp` (Unix ms)",
    );
  }
  return event;
}
