import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeThreeWay } from "../../src/modes/three-way-merge.js";
import type { JsonObject } from "../../src/protocol/json-object.js";

/** Few names and values, so that the three documents often meet. */
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(1, 2, "x", null, true, [1], [2, { a: 1 }]),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3 }),
  ),
})).value;
const document = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), value, { maxKeys: 4 }) as fc.Arbitrary<JsonObject>;

describe("mergeThreeWay", () => {
  it.each<[string, JsonObject | null, JsonObject, JsonObject, JsonObject]>([
    ["takes the local change where only the local side changed", { a: 1 }, { a: 2 }, { a: 1 }, { a: 2 }],
    ["takes the remote change where only the remote side changed", { a: 1 }, { a: 1 }, { a: 2 }, { a: 2 }],
    ["lets the remote win where both changed", { a: 1 }, { a: 2 }, { a: 3 }, { a: 3 }],
    ["keeps a local deletion", { a: 1, b: 1 }, { b: 1 }, { a: 1, b: 1 }, { b: 1 }],
    ["keeps a remote deletion", { a: 1, b: 1 }, { a: 1, b: 1 }, { b: 1 }, { b: 1 }],
    ["lets a remote deletion win over a local change", { a: 1 }, { a: 2 }, {}, {}],
    ["lets a remote change win over a local deletion", { a: 1 }, {}, { a: 2 }, { a: 2 }],
    [
      "merges objects field by field",
      { o: { a: 1, b: 1 } },
      { o: { a: 2, b: 1 } },
      { o: { a: 1, b: 2 } },
      { o: { a: 2, b: 2 } },
    ],
    ["takes an array as a single value", { l: [1] }, { l: [1, 2] }, { l: [1, 3] }, { l: [1, 3] }],
    ["keeps a local addition beside a remote one", {}, { a: 1 }, { b: 1 }, { a: 1, b: 1 }],
    [
      "merges objects that both sides added, remote winning",
      {},
      { o: { a: 1, b: 1 } },
      { o: { b: 2 } },
      { o: { a: 1, b: 2 } },
    ],
    ["lets the remote win where an object became a scalar", { o: { a: 1 } }, { o: { a: 2 } }, { o: 5 }, { o: 5 }],
    [
      "without a base keeps what exists only locally",
      null,
      { a: 1, o: { x: 1 } },
      { b: 2, o: { y: 2 } },
      { a: 1, b: 2, o: { x: 1, y: 2 } },
    ],
    ["without a base lets the remote win", null, { a: 1, o: 1 }, { a: 2, o: { y: 1 } }, { a: 2, o: { y: 1 } }],
    ["is not fooled by names of Object.prototype", {}, { toString: 1 }, { valueOf: 2 }, { toString: 1, valueOf: 2 }],
  ])("%s", (_what, base, local, remote, expected) => {
    expect(mergeThreeWay({ base, local, remote })).toEqual(expected);
  });

  it("changes nothing when repeated, against the old base or the new one", () => {
    fc.assert(
      fc.property(fc.option(document), document, document, (base, local, remote) => {
        const merged = mergeThreeWay({ base, local, remote });
        expect(mergeThreeWay({ base, local: merged, remote })).toEqual(merged);
        expect(mergeThreeWay({ base: remote, local: merged, remote })).toEqual(merged);
      }),
      { numRuns: 3_000 },
    );
  });

  it("gives the remote's document where nothing changed locally, and the local one where nothing changed remotely", () => {
    fc.assert(
      fc.property(document, document, (base, other) => {
        expect(mergeThreeWay({ base, local: base, remote: other })).toEqual(other);
        expect(mergeThreeWay({ base, local: other, remote: base })).toEqual(other);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, JsonObject, JsonObject, JsonObject, JsonObject, JsonObject]>([
    ["a value", { x: 0 }, { x: 1 }, { x: 2 }, { x: 1, y: 1 }, { x: 2, y: 1 }],
    ["a deletion", { x: 0 }, {}, { x: 5 }, { y: 1 }, { x: 5, y: 1 }],
    ["a nested value", { o: { x: 0 } }, { o: { x: 1 } }, { o: { x: 2 } }, { o: { x: 1 }, y: 1 }, { o: { x: 2 }, y: 1 }],
  ])(
    "takes %s that the primary holds as we sent it for no change of anybody else's",
    (_what, base, sent, local, remote, merged) => {
      expect(mergeThreeWay({ base, local, remote }, { sent: [sent] })).toEqual(merged);
    },
  );

  it("can let the local side win", () => {
    const input = { base: { a: 1, b: 1 }, local: { a: 2, b: 1 }, remote: { a: 3, b: 2 } };
    expect(mergeThreeWay(input, { winner: "local" })).toEqual({ a: 2, b: 2 });
  });

  it("changes neither input", () => {
    fc.assert(
      fc.property(fc.option(document), document, document, (base, local, remote) => {
        const before = JSON.stringify([base, local, remote]);
        mergeThreeWay({ base, local, remote });
        expect(JSON.stringify([base, local, remote])).toBe(before);
      }),
    );
  });
});
