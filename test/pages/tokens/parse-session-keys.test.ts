import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseSessionKeys } from "../../../src/pages/tokens/parse-session-keys.js";

describe("parseSessionKeys", () => {
  it("reads one key or a list, in base64 or base64url, padded or not", () => {
    const bytes = Uint8Array.from(randomBytes(32)).fill(0xfb, 3, 9);
    const base64 = Buffer.from(bytes).toString("base64");
    const forms = [base64, ` ${base64}\n`, base64.replace(/=+$/, ""), Buffer.from(bytes).toString("base64url")];
    for (const form of forms) expect(parseSessionKeys(form)).toEqual({ keys: [bytes], mistakes: [] });
    const other = randomBytes(32).toString("base64");
    const both = parseSessionKeys([other, base64]);
    expect(both.mistakes).toEqual([]);
    expect(both.keys.map((key) => Buffer.from(key).toString("base64"))).toEqual([other, base64]);
  });

  it.each([
    [undefined, /^sessionKey is missing: .*openssl rand -base64 32/],
    ["", /^sessionKey is missing/],
    [[], /^sessionKey is missing/],
    [7, /^sessionKey must be a text/],
    ["not base64!", /^sessionKey is not base64/],
    [randomBytes(31).toString("base64"), /^sessionKey has 31 bytes, it must have 32/],
    [randomBytes(32).toString("hex"), /^sessionKey has 48 bytes, it must have 32/],
    [Buffer.alloc(32).toString("base64"), /^sessionKey is one byte 32 times/],
    [Array.from({ length: 17 }, () => randomBytes(32).toString("base64")), /^sessionKey has 17 keys, at most 16/],
  ])("says what is wrong with %j", (value, sentence) => {
    const { keys, mistakes } = parseSessionKeys(value);
    expect(keys).toEqual([]);
    expect(mistakes).toEqual([expect.stringMatching(sentence)]);
  });

  it("names each key of a list that cannot be used, and quotes none of them", () => {
    const good = randomBytes(32).toString("base64");
    const { keys, mistakes } = parseSessionKeys([good, "c2VjcmV0", good, null]);
    expect(keys).toHaveLength(1);
    expect(mistakes).toEqual([
      expect.stringMatching(/^sessionKey\[1\] has 6 bytes/),
      expect.stringMatching(/^sessionKey\[2\] is the same key as sessionKey\[0\]/),
      expect.stringMatching(/^sessionKey\[3\] must be a text/),
    ]);
    for (const mistake of mistakes) for (const key of [good, "c2VjcmV0"]) expect(mistake).not.toContain(key);
  });
});
