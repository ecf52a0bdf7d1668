import { describe, expect, it } from "vitest";
import { createTokens } from "../../../src/pages/tokens/create-tokens.js";
import { newKey, SESSION, SYNC } from "./claims.js";

const NOW = 1_800_000_000;
const now = () => NOW * 1_000;
const NOT_VALID = { code: "INVALID_TOKEN", message: "The token is not valid" };

/** What is thrown, which must not have the token in it. */
function refusal(verify: () => unknown, token = "never in it"): unknown {
  try {
    verify();
  } catch (error) {
    expect(`${(error as Error).stack}`).not.toContain(token);
    return error;
  }
  throw new Error("It was accepted");
}

describe("createTokens", () => {
  it("gives back the claims of a session and of a sync token", () => {
    const tokens = createTokens([newKey()], { now });
    expect(tokens.verify(tokens.mint(SESSION, NOW + 1), "session")).toEqual(SESSION);
    for (const direction of ["push", "pull"] as const) {
      const claims = { ...SYNC, direction, databaseId: `d-${direction}` };
      expect(tokens.verify(tokens.mint(claims, NOW + 1), "sync")).toEqual(claims);
    }
  });

  it("makes another token each time, of characters that a header and a command line take", () => {
    const tokens = createTokens([newKey()]);
    const made = [tokens.mint(SYNC, NOW), tokens.mint(SYNC, NOW)];
    expect(made[0]).not.toBe(made[1]);
    for (const token of made) expect(token).toMatch(/^[A-Za-z0-9][\w-]+$/);
  });

  it("takes one for its own purpose alone, and says which it takes", () => {
    const tokens = createTokens([newKey()], { now });
    const session = tokens.mint(SESSION, NOW + 1);
    const sync = tokens.mint(SYNC, NOW + 1);
    expect(refusal(() => tokens.verify(session, "sync"), session)).toMatchObject({
      code: "INVALID_TOKEN",
      message: expect.stringContaining("is a session token, and here it takes a sync token"),
    });
    expect(refusal(() => tokens.verify(sync, "session"), sync)).toMatchObject({
      code: "INVALID_TOKEN",
      message: expect.stringContaining("is a sync token, and here it takes a session token"),
    });
  });

  it("lasts until its expiry and not a millisecond longer", () => {
    let ms = NOW * 1_000 - 1;
    const tokens = createTokens([newKey()], { now: () => ms });
    const [session, sync] = [tokens.mint(SESSION, NOW), tokens.mint(SYNC, NOW)];
    expect(tokens.verify(session, "session")).toEqual(SESSION);
    ms += 1;
    expect(refusal(() => tokens.verify(session, "session"), session)).toMatchObject({
      code: "INVALID_TOKEN",
      message: "The session has expired",
    });
    expect(refusal(() => tokens.verify(sync, "sync"), sync)).toMatchObject({ message: "The sync token has expired" });
  });

  it("refuses a token in which any single bit was flipped", () => {
    const tokens = createTokens([newKey()], { now });
    const token = tokens.mint(SYNC, NOW + 1);
    const forms = [
      { bytes: Buffer.from(token, "base64url"), toToken: (bytes: Buffer) => bytes.toString("base64url") },
      { bytes: Buffer.from(token, "latin1"), toToken: (bytes: Buffer) => bytes.toString("latin1") },
    ];
    for (const { bytes, toToken } of forms) {
      const outcomes = new Set<string>();
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        try {
          outcomes.add(JSON.stringify(tokens.verify(toToken(flipped), "sync")));
        } catch (error) {
          outcomes.add((error as Error).message);
        }
      }
      expect([...outcomes]).toEqual([NOT_VALID.message]);
    }
  });

  it("refuses what was cut short, at either end, and what has more behind it", () => {
    const tokens = createTokens([newKey()], { now });
    const token = tokens.mint(SYNC, NOW + 1);
    for (let length = 0; length < token.length; length += 1) {
      expect(refusal(() => tokens.verify(token.slice(0, length), "sync"))).toMatchObject(NOT_VALID);
      expect(refusal(() => tokens.verify(token.slice(length + 1), "sync"))).toMatchObject(NOT_VALID);
    }
    for (const more of ["A", "AA", "AAAA", " ", "\n", "=", "==", ".", "A".repeat(5_000), token])
      expect(refusal(() => tokens.verify(token + more, "sync"))).toMatchObject(NOT_VALID);
  });

  it("refuses what is no text", () => {
    const tokens = createTokens([newKey()]);
    for (const value of [undefined, null, 1, {}, [], new Uint8Array(3)])
      expect(refusal(() => tokens.verify(value as string, "sync"))).toMatchObject(NOT_VALID);
  });

  it("accepts what any of its keys has signed, and signs with the first", () => {
    const [old, fresh] = [newKey(), newKey()];
    const before = createTokens([old], { now });
    const during = createTokens([fresh, old], { now });
    const after = createTokens([fresh], { now });
    const [early, late] = [before.mint(SYNC, NOW + 1), during.mint(SYNC, NOW + 1)];
    expect(during.verify(early, "sync")).toEqual(SYNC);
    expect(during.verify(late, "sync")).toEqual(SYNC);
    expect(after.verify(late, "sync")).toEqual(SYNC);
    // The key that was taken away, and one that was never there.
    expect(refusal(() => after.verify(early, "sync"))).toMatchObject(NOT_VALID);
    expect(refusal(() => before.verify(late, "sync"))).toMatchObject(NOT_VALID);
  });

  it("tells nobody who holds no valid signature whether a token has expired or what it is for", () => {
    const expired = createTokens([newKey()]).mint(SESSION, 1);
    expect(refusal(() => createTokens([newKey()]).verify(expired, "sync"))).toMatchObject(NOT_VALID);
  });

  it("keeps keys of its own: clearing the caller's bytes changes nothing", () => {
    const key = newKey();
    const tokens = createTokens([key], { now });
    const token = tokens.mint(SYNC, NOW + 1);
    key.fill(0);
    expect(tokens.verify(token, "sync")).toEqual(SYNC);
  });

  it("is not made without keys, or with short ones, and mints no time that is none", () => {
    expect(() => createTokens([])).toThrow(TypeError);
    expect(() => createTokens([newKey(), new Uint8Array(31)])).toThrow(TypeError);
    const tokens = createTokens([newKey()]);
    for (const time of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e15])
      expect(() => tokens.mint(SYNC, time)).toThrow(TypeError);
    expect(() => tokens.mint({ ...SYNC, databaseId: "x".repeat(4_000) }, 1)).toThrow(TypeError);
  });
});
