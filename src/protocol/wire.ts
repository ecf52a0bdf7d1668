/** Names on the Starfish wire (protocol v3), each written once. */

export const HEADER = {
  authorization: "Authorization",
  signature: "X-Starfish-Sig",
  timestamp: "X-Starfish-Ts",
  nonce: "X-Starfish-Nonce",
} as const;

/** Scheme of the `Authorization` header that carries a cap-cert. */
export const CAP_SCHEME = "Cap ";

export const JSON_TYPE = "application/json";

/** `error` of a push that lost against another writer, with status 409. */
export const HASH_MISMATCH = "hash_mismatch";
