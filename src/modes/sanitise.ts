import { isJsonObject, type JsonObject } from "../protocol/json-object.js";

/** Keys that never get into a document. The first three poison prototypes in JavaScript, the others in Python implementations. */
const UNSAFE_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype", "__class__", "__dict__"]);

/** Deepest nesting that a document may have. The host takes 64 from its clients; the rest is room for other primaries. */
export const MAX_DOCUMENT_DEPTH = 256;

/**
 * The document without unsafe keys at any depth, inside arrays too. Gives back the same object where nothing had to go, so
 * `sanitise(x) === x` says that x was clean.
 * @throws RangeError for nesting deeper than {@link MAX_DOCUMENT_DEPTH}
 */
export function sanitise(data: JsonObject): JsonObject {
  return sanitiseValue(data, 1) as JsonObject;
}

function sanitiseValue(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DOCUMENT_DEPTH) throw new RangeError(`nested deeper than ${MAX_DOCUMENT_DEPTH} levels`);
  if (Array.isArray(value)) return sanitiseArray(value, depth);
  if (!isJsonObject(value)) return value;
  let copy: JsonObject | null = null;
  for (const key of Object.keys(value)) {
    const before = value[key];
    const after = UNSAFE_KEYS.has(key) ? undefined : sanitiseValue(before, depth + 1);
    if (after === before && !UNSAFE_KEYS.has(key)) continue;
    copy ??= { ...value };
    if (UNSAFE_KEYS.has(key)) delete copy[key];
    else copy[key] = after;
  }
  return copy ?? value;
}

function sanitiseArray(value: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | null = null;
  for (const [index, before] of value.entries()) {
    const after = sanitiseValue(before, depth + 1);
    if (after === before) continue;
    copy ??= [...value];
    copy[index] = after;
  }
  return copy ?? value;
}
