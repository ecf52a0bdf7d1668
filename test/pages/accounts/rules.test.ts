import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDatabaseName } from "../../../src/pages/accounts/database-name.js";
import { parseEmail } from "../../../src/pages/accounts/email.js";
import { parsePassword, passwordBytes } from "../../../src/pages/accounts/password.js";

function refusal(work: () => unknown): unknown {
  try {
    return { accepted: work() };
  } catch (error) {
    return error;
  }
}

const invalid = (sentence: RegExp) => ({ code: "INVALID_ACCOUNT", message: expect.stringMatching(sentence) });

describe("parseEmail", () => {
  it.each([
    ["ann@example.com", "ann@example.com"],
    ["  Ann.B+x@Example.COM\n", "ann.b+x@example.com"],
    ["o'hara@localhost", "o'hara@localhost"],
    ["ann@a.b-c.xn--p1ai", "ann@a.b-c.xn--p1ai"],
    ["ANN@Bücher.example", "ann@xn--bcher-kva.example"],
    ["u\u0308@example.com", "\u00fc@example.com"],
    [`${"a".repeat(64)}@example.com`, `${"a".repeat(64)}@example.com`],
  ])("gives %j its one form", (text, form) => {
    expect(parseEmail(text)).toBe(form);
    expect(parseEmail(form)).toBe(form);
  });

  it.each([
    ["", /missing/],
    [" \t", /missing/],
    [undefined, /missing/],
    [7, /missing/],
    ["ann", /not an address/],
    ["@example.com", /not an address/],
    ["ann@", /not an address/],
    ["ann@b@example.com", /not an address/],
    ["ann b@example.com", /not an address/],
    ["ann@exa mple.com", /not an address/],
    ["ann@example..com", /not an address/],
    ["ann@.com", /not an address/],
    ["ann@com.", /not an address/],
    [".ann@example.com", /not an address/],
    ["a..n@example.com", /not an address/],
    ['"a n"@example.com', /not an address/],
    ["ann@example.com/path", /not an address/],
    ["ann@example.com:80", /not an address/],
    ["ann@example.com?x", /not an address/],
    ["ann@127.0.0.1", /not an address/],
    ["ann@[::1]", /not an address/],
    ["ann@0x7f.1", /not an address/],
    ["ann@-a.com", /not an address/],
    ["ann\0@example.com", /not an address/],
    ["ann\r\nBcc: eve@example.com", /not an address/],
    ["ann\u202e@example.com", /not an address/],
    ["a\ud800@example.com", /not an address/],
    [`${"a".repeat(65)}@example.com`, /too long/],
    [`ann@${"abcdefghi.".repeat(26)}com`, /too long/],
    ["a".repeat(1_000_000), /too long/],
  ])("refuses %j", (text, sentence) => {
    expect(refusal(() => parseEmail(text))).toMatchObject(invalid(sentence));
  });

  it("gives every text one form that stays, or refuses it with a sentence", () => {
    const part = fc.uint16Array({ maxLength: 12 }).map((units) => String.fromCharCode(...units));
    const text = fc.tuple(part, part, part).map(([local, domain, top]) => `${local}@${domain}.${top}`);
    fc.assert(
      fc.property(fc.oneof(text, part), (value) => {
        const outcome = refusal(() => parseEmail(value)) as { accepted?: string; code?: string };
        if (outcome.accepted === undefined) expect(outcome.code).toBe("INVALID_ACCOUNT");
        else expect(parseEmail(outcome.accepted)).toBe(outcome.accepted);
      }),
    );
  });
});

describe("parsePassword", () => {
  it("takes 8 characters to 1 024 bytes, whatever they are", () => {
    for (const text of ["12345678", "        ", "😀".repeat(8), "x".repeat(1_024), "ü".repeat(512)])
      expect(Buffer.from(parsePassword(text)).toString()).toBe(text);
  });

  it.each([
    ["", /too short.*8 characters/],
    [undefined, /too short/],
    ["1234567", /too short/],
    // Four characters, however many units of UTF-16.
    ["😀😀😀😀", /too short/],
    ["x".repeat(1_025), /too long.*1024 bytes/],
    ["ü".repeat(513), /too long/],
    ["x".repeat(10_000_000), /too long/],
  ])("refuses %.20j", (text, sentence) => {
    expect(refusal(() => parsePassword(text))).toMatchObject(invalid(sentence));
    expect(passwordBytes(text).length).toBeLessThanOrEqual(1_024);
  });
});

describe("parseDatabaseName", () => {
  it.each(["a", "shop", "Shop 2024 (old)", "données", "店", "a/b\\c", "👩‍💻", "-x", "x".repeat(100), "😀".repeat(100)])(
    "takes %j",
    (name) => {
      expect(parseDatabaseName(name)).toBe(name);
    },
  );

  it("has one form for names that look the same", () => {
    expect(parseDatabaseName("u\u0308")).toBe("\u00fc");
  });

  it.each([
    ["", /missing/],
    [undefined, /missing/],
    [7, /missing/],
    [" a", /begins or ends with a space/],
    ["a\u00a0", /begins or ends with a space/],
    [" ", /begins or ends with a space/],
    ["a\tb", /cannot be printed/],
    ["a\nb", /cannot be printed/],
    ["a\0", /cannot be printed/],
    ["a\x7fb", /cannot be printed/],
    ["a\u0085b", /cannot be printed/],
    ["a\u2028b", /cannot be printed/],
    ["a\u202eb", /cannot be printed/],
    ["a\u200bb", /cannot be printed/],
    ["a\ud800b", /cannot be printed/],
    ["x".repeat(101), /at most 100/],
    ["😀".repeat(101), /at most 100/],
    ["x".repeat(1_000_000), /at most 100/],
  ])("refuses %.20j", (name, sentence) => {
    expect(refusal(() => parseDatabaseName(name))).toMatchObject(invalid(sentence));
  });
});
