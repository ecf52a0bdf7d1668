/** Who holds a session. Everything here stands in the signed part of the token. */
export interface SessionClaims {
  readonly purpose: "session";
  readonly userId: string;
  readonly email: string;
  readonly orgId: string;
  readonly role: "admin" | "member";
}

/** What may be synced. */
export interface SyncClaims {
  readonly purpose: "sync";
  readonly userId: string;
  readonly orgId: string;
  readonly databaseId: string;
  readonly direction: "push" | "pull";
}

/** Makes and checks tokens: macaroons whose only caveat is `exp=<unix seconds>`. */
export interface Tokens {
  /** @param expiresAt Unix seconds */
  mint(claims: SessionClaims | SyncClaims, expiresAt: number): string;
  /** @throws `INVALID_TOKEN` for anything but a token of ours, for this purpose, before its earliest expiry. */
  verify<P extends "session" | "sync">(token: string, purpose: P): P extends "session" ? SessionClaims : SyncClaims;
}
