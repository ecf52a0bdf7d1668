import { computeHash, stableStringify } from "@drakkar.software/starfish-protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, documentHash } from "../../src/protocol/canonical-json.js";

/** Keys that UTF-16 order and code point order disagree about are rare in random text. */
const key = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("\ufffd", "\u{1f600}", "\ue000", "\u{10ffff}", "\ud800", "a", "A", "10", "9", ""),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue(),
    fc.constantFrom(-0, 1e21, 5e-324, undefined),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 6 }),
  ),
})).value;

describe("canonicalJson", () => {
  it("equals stableStringify of starfish-protocol on any document", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(value)).toBe(stableStringify(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it("sorts by code point, where UTF-16 order differs", () => {
    expect(canonicalJson({ "\u{1f600}": 1, "\ufffd": 2 })).toBe('{"\ufffd":2,"\u{1f600}":1}');
  });
});

describe("documentHash", () => {
  it("equals computeHash of starfish-protocol", async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(key, json, { maxKeys: 5 }), async (data) => {
        expect(documentHash(data)).toBe(await computeHash(data));
      }),
      { numRuns: 200 },
    );
  });
});
