import type { IncomingMessage } from "node:http";
import type { ChangeFeed } from "../feeds/change-feed.js";

/** What `createPageServer` takes. */
export interface PageServerOptions {
  /** A folder of our own: the accounts (`accounts.db`) and the databases; made where there is none. */
  readonly dir: string;
  /**
   * Signs all tokens: base64 of 32 random bytes, as `openssl rand -base64 32` makes them. Of several the first signs and all are accepted: so a key is
   * changed without a gap.
   */
  readonly sessionKey: string | readonly string[];
  /** How long a login lasts, in seconds. Default 86 400: a day. */
  readonly sessionTtlSeconds?: number;
  /** How long a sync token lasts where nothing is asked for, in seconds. Default 3 600: an hour. */
  readonly syncTokenTtlSeconds?: number;
  /** How long a sync token may last at most, in seconds. Default 86 400: a day. */
  readonly maxSyncTokenTtlSeconds?: number;
  /** How long a login at an OAuth provider may take, in seconds. Default 600. */
  readonly oauthStateTtlSeconds?: number;
  /** Where this server is seen from outside, for instance `https://sync.example.com`: OAuth providers send the browser back there. */
  readonly oauthRedirectBase?: string;
  readonly github?: OAuthProviderOptions;
  readonly google?: OAuthProviderOptions;
  /** What one database may take, in bytes. Default 10 GiB. */
  readonly maxDatabaseBytes?: number;
  /** What all databases of an organisation may take together, in bytes. Default 100 GiB. */
  readonly maxOrganisationBytes?: number;
  /** Databases of one organisation. Default 1 000. */
  readonly maxDatabases?: number;
  /** Syncs under way at once; another is answered 503 before it begins. Default 64. */
  readonly maxSyncs?: number;
  /** A peer that neither sends nor takes anything for so long is cut off, in seconds. Default 60. */
  readonly idleSeconds?: number;
  /** Whether anybody may sign up. Default `true`. */
  readonly allowSignup?: boolean;
  /** Told of every commit: `collection` is the database's id, `namespace` is `pages`. */
  readonly feed?: ChangeFeed;
  /**
   * Whose attempts to log in count together. Default: the address of the socket. Behind a proxy, read what your proxy writes.
   */
  readonly clientAddress?: (request: Request, incoming?: IncomingMessage) => string;
  /** Told of what fails on the server's side. Default: a process warning. */
  readonly onError?: (error: unknown) => void;
}

/** A client registered at GitHub or Google. */
export interface OAuthProviderOptions {
  readonly clientId: string;
  readonly clientSecret: string;
}
