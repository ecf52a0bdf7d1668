import { describe, expect, it } from "vitest";
import { chooseCoding } from "../../../src/exports/routes/content-coding.js";

describe("chooseCoding", () => {
  it.each([
    [undefined, "identity"],
    ["", "identity"],
    ["gzip", "gzip"],
    ["GZIP", "gzip"],
    ["x-gzip", "gzip"],
    ["gzip, deflate, br, zstd", "gzip"],
    ["br", "identity"],
    ["*", "gzip"],
    ["gzip;q=0", "identity"],
    ["gzip;q=0, *", "identity"],
    ["*;q=0.1, gzip;q=0", "identity"],
    ["gzip;q=0.001", "gzip"],
    ["identity, gzip", "gzip"],
    ["identity;q=1, gzip;q=0.5", "identity"],
    ["identity;q=0.4, gzip;q=0.5", "gzip"],
    ["identity;q=0.5, *;q=0", "identity"],
    ["gzip, *;q=0", "gzip"],
    ["gzip ; q = 0.5 , identity;Q=0.9", "identity"],
    ["identity;q=0", null],
    ["*;q=0", null],
    ["gzip;q=0, identity;q=0.000", null],
    ["br, *;q=0", null],
    // What is no weight is passed over with its coding.
    ["gzip;q=2", "identity"],
    ["gzip;q=-1", "identity"],
    ["gzip;q=0.1234", "identity"],
    ["gzip;level=9", "identity"],
    [",,;;=q,", "identity"],
    ["__proto__, constructor;q=0", "identity"],
  ])("takes %s for %s", (header, coding) => {
    expect(chooseCoding(header)).toBe(coding);
  });
});
