import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stateKey } from "../../src/protocol/state-key.js";

describe("stateKey", () => {
  it("is readable for ordinary names", () => {
    expect(stateKey("_replica", null, "posts")).toBe("_replica/posts");
    expect(stateKey("_replica", "team-1", "posts")).toBe("_replica/team-1:posts");
  });

  it("gives every collection a key of its own, which the host's file store takes", () => {
    const name = fc.oneof(
      fc.string({ unit: "binary", minLength: 1 }),
      fc.constantFrom("a:b", "..", ".", "a/b", "a@3ab"),
    );
    const place = fc.record({ namespace: fc.option(name), collection: name });
    fc.assert(
      fc.property(place, place, (a, b) => {
        const keys = [a, b].map(({ namespace, collection }) => stateKey("_replica", namespace, collection));
        for (const key of keys) {
          expect(key).toMatch(/^_replica\/[a-zA-Z0-9._:@-]+$/);
          expect(key.split("/")).not.toContain("..");
        }
        expect(keys[0] === keys[1]).toBe(a.namespace === b.namespace && a.collection === b.collection);
      }),
      { numRuns: 1_000 },
    );
  });
});
