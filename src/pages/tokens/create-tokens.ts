import { ReplicaError } from "../../errors.js";
import { decodeClaims, encodeClaims } from "./claims-identifier.js";
import { decodeMacaroon, encodeMacaroon, type Macaroon } from "./macaroon.js";
import { isSignedBy, signMacaroon } from "./macaroon-signature.js";
import type { SessionClaims, SyncClaims, Tokens } from "./token-claims.js";

/** Nothing longer is looked at. A token of ours with an email of 254 characters has under 1 200. */
const MAX_TOKEN_CHARACTERS = 4_096;
/** More than anybody has reason to append. Each is an HMAC for every key, and anybody may send a token that is full of them. */
const MAX_CAVEATS = 32;
const LATEST_EXPIRY = 999_999_999_999_999;

export interface TokensOptions {
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * Makes and checks tokens: macaroons in the v2 binary form of libmacaroons, in base64url. Whoever holds one can shorten its life with any macaroon
 * library by the caveat `exp=<unix seconds>`, of which the earliest counts and there may be 32; any other caveat makes it invalid. The first key signs,
 * all are tried.
 * @param keys at least one, of 32 bytes each: see `parseSessionKeys`
 */
export function createTokens(keys: readonly Uint8Array[], { now = Date.now }: TokensOptions = {}): Tokens {
  const own = keys.map((key) => Uint8Array.from(key));
  const [signingKey] = own;
  if (signingKey === undefined || own.some((key) => key.length !== 32))
    throw new TypeError("createTokens takes at least one key, and keys of 32 bytes");
  return {
    mint(claims, expiresAt) {
      if (!Number.isSafeInteger(expiresAt) || expiresAt < 0 || expiresAt > LATEST_EXPIRY)
        throw new TypeError("expiresAt must be a whole number of seconds since 1970");
      const identifier = encodeClaims(claims);
      const caveats = [Buffer.from(`exp=${expiresAt}`)];
      const signature = signMacaroon(signingKey, { identifier, caveats });
      const token = Buffer.from(encodeMacaroon({ identifier, caveats, signature })).toString("base64url");
      if (token.length > MAX_TOKEN_CHARACTERS) throw new TypeError("These claims are too long for a token");
      return token;
    },
    verify<P extends "session" | "sync">(token: string, purpose: P) {
      const macaroon = parseToken(token);
      // First, so that a token full of the shortest caveats is no way to make us work.
      const expiresAt = macaroon === null ? null : earliestExpiry(macaroon.caveats);
      // Only what is signed is told more than "not valid".
      if (macaroon === null || expiresAt === null || !isSignedBy(own, macaroon)) throw notValid();
      const claims = decodeClaims(macaroon.identifier);
      if (claims === null) throw notValid();
      if (claims.purpose !== purpose) throw otherPurpose(claims.purpose, purpose);
      if (now() >= expiresAt * 1_000) throw expired(purpose);
      return claims as P extends "session" ? SessionClaims : SyncClaims;
    },
  };
}

/** One text for each macaroon: base64url whose spare bits are zero, padded or not. */
function parseToken(token: unknown): Macaroon | null {
  if (typeof token !== "string" || token.length > MAX_TOKEN_CHARACTERS) return null;
  const bare = token.length % 4 === 0 ? token.replace(/={1,2}$/, "") : token;
  const bytes = Buffer.from(bare, "base64url");
  return bytes.toString("base64url") === bare ? decodeMacaroon(bytes) : null;
}

/** In Unix seconds. `null` where another caveat is among them, there are too many, or none at all: every token that we make has one. */
function earliestExpiry(caveats: readonly Uint8Array[]): number | null {
  if (caveats.length > MAX_CAVEATS) return null;
  let earliest = Number.POSITIVE_INFINITY;
  for (const caveat of caveats) {
    // As many digits as numbers hold exactly.
    const seconds = /^exp=(0|[1-9][0-9]{0,14})$/.exec(Buffer.from(caveat).toString("latin1"))?.[1];
    if (seconds === undefined) return null;
    earliest = Math.min(earliest, Number(seconds));
  }
  return Number.isFinite(earliest) ? earliest : null;
}

function notValid(): ReplicaError {
  return new ReplicaError("INVALID_TOKEN", "The token is not valid", {
    hint: "Give the whole token as it was issued by this server, or get another.",
  });
}

function expired(purpose: "session" | "sync"): ReplicaError {
  return new ReplicaError(
    "INVALID_TOKEN",
    `The ${purpose === "session" ? "session" : "sync token"} has expired`,
    purpose === "session" ? { hint: "Log in again." } : { hint: "Issue another one for this database and direction." },
  );
}

function otherPurpose(is: "session" | "sync", wanted: "session" | "sync"): ReplicaError {
  const words = { session: "a session token", sync: "a sync token" };
  return new ReplicaError("INVALID_TOKEN", `The token is ${words[is]}, and here it takes ${words[wanted]}`, {
    hint:
      wanted === "sync"
        ? "Issue a sync token for the database and direction, and give that one."
        : "Log in, and give the session's token.",
  });
}
