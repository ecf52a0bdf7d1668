import fc from "fast-check";
import macaroon, { type JudgedMacaroon } from "macaroon";
import { describe, expect, it } from "vitest";
import { encodeClaims } from "../../../src/pages/tokens/claims-identifier.js";
import { createTokens } from "../../../src/pages/tokens/create-tokens.js";
import { encodeMacaroon } from "../../../src/pages/tokens/macaroon.js";
import { size } from "../../support/size.js";
import { newKey, SESSION, SYNC } from "./claims.js";

const NOW = 1_800_000_000;
const now = () => NOW * 1_000;
const key = newKey();
const tokens = createTokens([key], { now });
const NOT_VALID = expect.objectContaining({ code: "INVALID_TOKEN", message: "The token is not valid" });
const EXPIRED = expect.objectContaining({ code: "INVALID_TOKEN", message: "The sync token has expired" });

/** The library doubles its buffer with every field of the binary form, which ends soon: beyond two caveats its JSON form says what is in it. */
function exportToken(judged: JudgedMacaroon): string {
  const { i = "", i64 = "", c = [], s64 } = judged.exportJSON();
  if (c.length < 3) return macaroon.bytesToBase64(judged.exportBinary());
  const toBytes = (text: string, base64: string): Uint8Array =>
    base64 === "" ? Buffer.from(text) : Buffer.from(base64, "base64url");
  const caveats = c.map((caveat) => toBytes(caveat.i ?? "", caveat.i64 ?? ""));
  const bytes = encodeMacaroon({ identifier: toBytes(i, i64), caveats, signature: toBytes("", s64) });
  return Buffer.from(bytes).toString("base64url");
}

/** A token of ours with caveats that another library has appended. */
function append(...caveats: readonly (string | Uint8Array)[]): string {
  const judged = macaroon.importMacaroon(Buffer.from(tokens.mint(SYNC, NOW + 10), "base64url"));
  for (const caveat of caveats) judged.addFirstPartyCaveat(caveat);
  return exportToken(judged);
}

function outcome(token: string): unknown {
  try {
    return tokens.verify(token, "sync");
  } catch (error) {
    return error;
  }
}

describe("a token and another macaroon library", () => {
  it("is imported, verified with its key and exported to the same bytes", () => {
    const token = tokens.mint(SYNC, NOW + 10);
    const judged = macaroon.importMacaroon(token);
    const seen: string[] = [];
    const check = (caveat: string): null => {
      seen.push(caveat);
      return null;
    };
    judged.verify(key, check, []);
    expect(seen).toEqual([`exp=${NOW + 10}`]);
    expect(() => judged.verify(newKey(), check, [])).toThrow();
    expect(exportToken(judged)).toBe(token);
    expect(JSON.parse(Buffer.from(judged.identifier).toString())).toMatchObject({ v: 1, ...SYNC });
  });

  it("is shortened by an earlier expiry that anybody appends, and the earliest of many counts", () => {
    expect(outcome(append(`exp=${NOW + 5}`))).toEqual(SYNC);
    expect(outcome(append(`exp=${NOW + 5}`, `exp=${NOW + 5}`))).toEqual(SYNC);
    expect(outcome(append(`exp=${NOW}`))).toEqual(EXPIRED);
    expect(outcome(append(`exp=${NOW + 5}`, `exp=${NOW - 5}`, `exp=${NOW + 7}`))).toEqual(EXPIRED);
    expect(outcome(append("exp=0"))).toEqual(EXPIRED);
  });

  it("is not lengthened by a later one", () => {
    const judged = macaroon.importMacaroon(tokens.mint(SYNC, NOW - 1));
    judged.addFirstPartyCaveat(`exp=${NOW + 1_000}`);
    expect(outcome(exportToken(judged))).toEqual(EXPIRED);
  });

  it.each([
    "",
    "exp",
    "exp=",
    "exp=+1800000005",
    "exp=-1",
    "exp=1e9",
    "exp=1.8e9",
    "exp=01800000005",
    "exp=00",
    "exp=1800000005.0",
    "exp=0x6b49d205",
    "exp= 1800000005",
    " exp=1800000005",
    "exp=1800000005 ",
    "exp=1800000005\n",
    "exp=1800000005\0",
    "EXP=1800000005",
    "exp =1800000005",
    "exp=1000000000000000",
    "exp=١٨٠٠",
    "exp=Infinity",
    "database=d-2",
    "direction=pull",
    "purpose=session",
    "role=admin",
    `{"databaseId":"d-2"}`,
  ])("is not valid with the caveat %j", (caveat) => {
    expect(outcome(append(caveat))).toEqual(NOT_VALID);
    expect(outcome(append(`exp=${NOW + 5}`, caveat, `exp=${NOW + 5}`))).toEqual(NOT_VALID);
  });

  it("is not valid with a caveat that is no text, or a third party's", () => {
    expect(outcome(append(Uint8Array.of(0xff, 0xfe, 0x00)))).toEqual(NOT_VALID);
    const judged = macaroon.importMacaroon(tokens.mint(SYNC, NOW + 10));
    judged.addThirdPartyCaveat(newKey(), Buffer.from(`exp=${NOW + 5}`), "https://elsewhere.example");
    expect(outcome(exportToken(judged))).toEqual(NOT_VALID);
  });

  it("is not valid without any expiry, which only the key could make", () => {
    const bare = macaroon.newMacaroon({ identifier: encodeClaims(SYNC), rootKey: key });
    expect(outcome(exportToken(bare))).toEqual(NOT_VALID);
    bare.addFirstPartyCaveat(`exp=${NOW + 5}`);
    expect(outcome(exportToken(bare))).toEqual(SYNC);
  });

  it("is not valid where the signed identifier is anything but ours, to the byte", () => {
    const good = Buffer.from(encodeClaims(SYNC)).toString();
    const withNonce = (fields: object): string => JSON.stringify({ ...JSON.parse(good), ...fields });
    const identifiers = [
      "",
      "null",
      "[]",
      "{",
      good.replace("{", "{ "),
      `${good} `,
      withNonce({ v: 2 }),
      withNonce({ v: "1" }),
      withNonce({ purpose: "Sync" }),
      withNonce({ purpose: "session" }),
      withNonce({ direction: "both" }),
      withNonce({ databaseId: ["d-1"] }),
      withNonce({ databaseId: 1 }),
      withNonce({ nonce: "short" }),
      withNonce({ extra: "x" }),
      good.replace(`"userId":"u-1","orgId":"o-1"`, `"orgId":"o-1","userId":"u-1"`),
      good.replace(`"direction":"push"`, `"direction":"pull","direction":"push"`),
      good.replace("push", "\\u0070ush"),
    ];
    for (const identifier of identifiers) {
      const made = macaroon.newMacaroon({ identifier, rootKey: key });
      made.addFirstPartyCaveat(`exp=${NOW + 5}`);
      expect([identifier, outcome(exportToken(made))]).toEqual([identifier, NOT_VALID]);
    }
  });

  it("does not mind a location, which nothing signs, nor padding", () => {
    const made = macaroon.newMacaroon({ identifier: encodeClaims(SYNC), rootKey: key, location: "sync" });
    made.addFirstPartyCaveat(`exp=${NOW + 5}`);
    const padded = Buffer.from(made.exportBinary()).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
    expect(outcome(padded)).toEqual(SYNC);
  });

  it("has one binary form: a length written longer than it needs to be is refused", () => {
    const bytes = Buffer.from(tokens.mint(SYNC, NOW + 10), "base64url");
    const caveat = bytes.indexOf(`exp=${NOW + 10}`);
    expect(bytes[caveat - 1]).toBe(14);
    const longer = Buffer.concat([bytes.subarray(0, caveat - 1), Uint8Array.of(14 | 128, 0), bytes.subarray(caveat)]);
    expect(macaroon.importMacaroon(longer).exportBinary()).toEqual(Uint8Array.from(bytes));
    expect(outcome(longer.toString("base64url"))).toEqual(NOT_VALID);
  });

  it("is refused when it has more than 32 caveats", () => {
    const many = (count: number): string => append(...Array.from({ length: count }, () => `exp=${NOW + 5}`));
    // It is made with one.
    expect(outcome(many(31))).toEqual(SYNC);
    expect(outcome(many(32))).toEqual(NOT_VALID);
  });

  it("keeps its claims through any of the texts that may be in them", () => {
    // Halves of characters too.
    const text = fc.uint16Array({ maxLength: 100 }).map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(text, fc.string({ maxLength: 60 }), (email, id) => {
        const session = { ...SESSION, email, userId: id };
        expect(tokens.verify(tokens.mint(session, NOW + 10), "session")).toEqual(session);
      }),
      { numRuns: size({ test: 200, soak: 20_000 }) },
    );
  });

  it("is refused in any other form: bytes replaced, put in, taken out", () => {
    const bytes = Buffer.from(tokens.mint(SYNC, NOW + 10), "base64url");
    const position = fc.nat(bytes.length - 1);
    fc.assert(
      fc.property(position, fc.nat(20), fc.uint8Array({ maxLength: 40 }), (at, removed, added) => {
        const changed = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
        fc.pre(!changed.equals(bytes));
        expect(outcome(changed.toString("base64url"))).toEqual(NOT_VALID);
      }),
      { numRuns: size({ test: 3_000, soak: 300_000 }) },
    );
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 300 }), fc.base64String({ maxLength: 300 })), (text) => {
        expect(outcome(text)).toEqual(NOT_VALID);
      }),
      { numRuns: size({ test: 1_000, soak: 100_000 }) },
    );
  });
});
