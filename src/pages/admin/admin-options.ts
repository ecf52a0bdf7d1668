import type { IncomingMessage } from "node:http";
import type { Accounts } from "../accounts/accounts.js";
import type { AttemptLimiter } from "../accounts/attempt-limiter.js";
import type { Tokens } from "../tokens/token-claims.js";
import type { OAuthProvider } from "./oauth-provider.js";

/** What the admin service works with while the server runs. */
export interface AdminParts {
  readonly accounts: Accounts;
  /** Deletes the database's record, ends its syncs and removes its files. @throws `UNKNOWN_DATABASE`, also where it is somebody else's */
  removeDatabase(orgId: string, databaseId: string): Promise<void>;
}

export interface AdminOptions {
  /** What is open now. @throws `STOPPED` */
  readonly parts: () => AdminParts;
  readonly tokens: Tokens;
  readonly limiter: AttemptLimiter;
  /** Those that are configured. */
  readonly providers: readonly OAuthProvider[];
  readonly sessionTtlSeconds: number;
  readonly syncTokenTtlSeconds: number;
  readonly maxSyncTokenTtlSeconds: number;
  readonly oauthStateTtlSeconds: number;
  readonly allowSignup: boolean;
  /** Whose attempts count together. */
  readonly clientAddress: (request: Request, incoming?: IncomingMessage) => string;
  /** Told of what fails on the server's side; does not throw. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}
