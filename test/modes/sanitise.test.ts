import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_DOCUMENT_DEPTH, sanitise } from "../../src/modes/sanitise.js";
import type { JsonObject } from "../../src/protocol/json-object.js";

const UNSAFE = ["__proto__", "constructor", "prototype", "__class__", "__dict__"];

describe("sanitise", () => {
  it("removes unsafe keys at every depth, inside arrays too", () => {
    const dirty = JSON.parse(
      '{"a":1,"__proto__":{"x":1},"l":[{"constructor":1,"b":2},[{"__class__":1}]],"o":{"prototype":1,"__dict__":2,"c":3}}',
    );
    expect(sanitise(dirty)).toEqual({ a: 1, l: [{ b: 2 }, [{}]], o: { c: 3 } });
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it("gives back a clean document itself", () => {
    const clean: JsonObject = { a: [1, { b: null }], c: { d: "e" } };
    expect(sanitise(clean)).toBe(clean);
  });

  it("leaves no unsafe key and everything else, and does not change its input", () => {
    const key = fc.oneof(fc.constantFrom(...UNSAFE), fc.constantFrom("a", "b", "c"));
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.integer(),
        fc.array(tie("value")),
        fc.dictionary(key, tie("value"), { noNullPrototype: true }),
      ),
    })).value;
    fc.assert(
      fc.property(fc.dictionary(key, json, { noNullPrototype: true }), (value) => {
        const document = JSON.parse(JSON.stringify(value)) as JsonObject;
        const before = JSON.stringify(document);
        const clean = JSON.stringify(sanitise(document));
        expect(clean).toBe(JSON.stringify(JSON.parse(before, dropUnsafe)));
        expect(JSON.stringify(document)).toBe(before);
      }),
      { numRuns: 1_000 },
    );
  });

  it("refuses nesting that could exhaust the stack", () => {
    const nested = (depth: number): JsonObject => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
    expect(sanitise(nested(MAX_DOCUMENT_DEPTH))).toBeDefined();
    expect(() => sanitise(nested(MAX_DOCUMENT_DEPTH + 1))).toThrow(RangeError);
    expect(() => sanitise(JSON.parse(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`))).toThrow(RangeError);
  });
});

function dropUnsafe(key: string, value: unknown): unknown {
  return UNSAFE.includes(key) ? undefined : value;
}
