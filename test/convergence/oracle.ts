import { expect } from "vitest";

export type Json = Record<string, unknown>;

/** One change of one field by one writer. `value` undefined: the field goes. */
export interface Change {
  readonly path: readonly string[];
  readonly value: unknown;
  /** Anybody may change it; other fields belong to one writer alone. */
  readonly shared: boolean;
}

/**
 * What must be true of the documents, whatever happened on the way. "Nobody overwrote it" is exact:
 *
 * - A field that only one writer ever touches is as that writer left it, always on his own server, in the end everywhere: present with his
 *   last value, or gone.
 * - A field that several write is, in the end, a value that somebody wrote, and not one that a client had before his eyes when he replaced
 *   it. (Of changes that did not know of each other one wins, and which one is the merge's business.) Fields that somebody removed are
 *   exempt from the second part: a server whose push was stored without its learning of that finds the field absent, as before, and sends
 *   it again.
 */
export class Oracle {
  readonly #own = new Map<string, Map<string, unknown>>();
  readonly #written = new Map<string, Set<unknown>>();
  readonly #replaced = new Map<string, Set<unknown>>();
  readonly #sharedPaths = new Map<string, readonly string[]>();

  /** A writer was told that the change of `seen` is stored. */
  stored(writer: string, seen: Json, changes: readonly Change[]): void {
    for (const { path, value, shared } of changes) {
      const key = path.join(".");
      if (!shared) {
        this.#ownOf(writer).set(key, value);
        continue;
      }
      this.#sharedPaths.set(key, path);
      const before = fieldAt(seen, path);
      if (before !== value) setOf(this.#replaced, key).add(before);
      setOf(this.#written, key).add(value);
    }
  }

  /** A document shows all that this writer wrote, as far as nobody else writes it. */
  verifyOwn(writer: string, document: Json, where: string): void {
    for (const [key, value] of this.#ownOf(writer)) {
      expect(fieldAt(document, key.split(".")), `${key} of ${writer}, ${where}`).toBe(value);
    }
  }

  /** The document that all agree on. */
  verifyEnd(document: Json): void {
    for (const writer of this.#own.keys()) this.verifyOwn(writer, document, "in the end");
    for (const [key, path] of this.#sharedPaths) {
      const value = fieldAt(document, path);
      const written = setOf(this.#written, key);
      expect(written, `${key} holds what nobody wrote, or is gone and nobody removed it`).toContain(value);
      if (written.has(undefined)) continue;
      expect(setOf(this.#replaced, key), `${key} holds what somebody had replaced`).not.toContain(value);
    }
  }

  #ownOf(writer: string): Map<string, unknown> {
    const own = this.#own.get(writer) ?? new Map<string, unknown>();
    this.#own.set(writer, own);
    return own;
  }
}

/** The document with the changes made. */
export function changed(document: Json, changes: readonly Change[]): Json {
  const copy = structuredClone(document);
  for (const { path, value } of changes) {
    const parents = path.slice(0, -1);
    let object = copy;
    for (const name of parents) {
      object[name] ??= {};
      object = object[name] as Json;
    }
    const last = path.at(-1) ?? "";
    if (value === undefined) delete object[last];
    else object[last] = value;
  }
  return copy;
}

function fieldAt(document: Json, path: readonly string[]): unknown {
  let value: unknown = document;
  for (const name of path) value = (value as Json | undefined)?.[name];
  return value;
}

function setOf<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  const set = map.get(key) ?? new Set<V>();
  map.set(key, set);
  return set;
}
