import type { Tokens } from "./token-claims.js";

export interface TokensOptions {
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * Makes and checks tokens. The first key signs, all are tried.
 * @param keys at least one, of 32 bytes each: see `parseSessionKeys`
 */
export function createTokens(_keys: readonly Uint8Array[], _options: TokensOptions = {}): Tokens {
  throw new Error("not yet");
}
