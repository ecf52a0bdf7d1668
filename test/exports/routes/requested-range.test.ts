import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requestedRange } from "../../../src/exports/routes/requested-range.js";

/** Range by its definition: which bytes of the file are named, looked at one by one. */
function model(header: string, bytes: number): ReturnType<typeof requestedRange> {
  const [unit = "", set] = header.split("=", 2);
  const [first, last, ...more] = (set ?? "").split("-").map((part) => part.trim());
  if (unit.toLowerCase() !== "bytes" || first === undefined || last === undefined || more.length > 0) return "whole";
  if (![first, last].every((part) => [...part].every((digit) => "0123456789".includes(digit)))) return "whole";
  if ((first === "" && last === "") || bytes === 0) return "whole";
  const named: number[] = [];
  for (let at = 0; at < bytes; at += 1) {
    const fromEnd = BigInt(bytes - at);
    const isNamed =
      first === ""
        ? fromEnd <= BigInt(last)
        : BigInt(at) >= BigInt(first) && (last === "" || BigInt(at) <= BigInt(last));
    if (isNamed) named.push(at);
  }
  return named.length === 0 ? "unsatisfiable" : { start: named[0] ?? -1, end: named.at(-1) ?? -1 };
}

describe("requestedRange", () => {
  it.each([
    [undefined, 10, "whole"],
    ["bytes=0-0", 10, { start: 0, end: 0 }],
    ["bytes=0-", 10, { start: 0, end: 9 }],
    ["bytes=3-99", 10, { start: 3, end: 9 }],
    ["BYTES=3-4", 10, { start: 3, end: 4 }],
    ["bytes= 3 - 4 ", 10, { start: 3, end: 4 }],
    ["bytes=-3", 10, { start: 7, end: 9 }],
    ["bytes=-11", 10, { start: 0, end: 9 }],
    [`bytes=0-${"9".repeat(400)}`, 10, { start: 0, end: 9 }],
    [`bytes=-${"9".repeat(400)}`, 10, { start: 0, end: 9 }],
    [`bytes=${"9".repeat(400)}-`, 10, "unsatisfiable"],
    ["bytes=-0", 10, "unsatisfiable"],
    ["bytes=10-", 10, "unsatisfiable"],
    ["bytes=4-3", 10, "unsatisfiable"],
    ["bytes=0-", 0, "whole"],
    ["bytes=-5", 0, "whole"],
    ["bytes=0-1,3-4", 10, "whole"],
    ["bytes=0-1,", 10, "whole"],
    ["items=0-1", 10, "whole"],
    ["bytes", 10, "whole"],
    ["bytes=", 10, "whole"],
    ["bytes=-", 10, "whole"],
    ["bytes=a-b", 10, "whole"],
    ["bytes=0x1-2", 10, "whole"],
    ["bytes=1.5-2", 10, "whole"],
    ["bytes=1-2-3", 10, "whole"],
    ["bytes=+1-2", 10, "whole"],
    ["", 10, "whole"],
  ] as const)("takes %s of %d bytes for %j", (header, bytes, range) => {
    expect(requestedRange(header, bytes)).toEqual(range);
  });

  it("is what looking at the bytes one by one says", () => {
    const number = fc.oneof(fc.nat(40).map(String), fc.constant(""), fc.constantFrom("007", "x", " 3", "1e1"));
    const spec = fc.tuple(number, number).map(([first, last]) => `${first}-${last}`);
    const header = fc
      .tuple(fc.constantFrom("bytes", "Bytes", "lines"), spec)
      .map(([unit, range]) => `${unit}=${range}`);
    fc.assert(
      fc.property(header, fc.nat(30), (asked, bytes) => {
        expect([asked, bytes, requestedRange(asked, bytes)]).toEqual([asked, bytes, model(asked, bytes)]);
      }),
      { numRuns: 2_000 },
    );
  });
});
