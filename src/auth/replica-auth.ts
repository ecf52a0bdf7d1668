import type { CapScope } from "./cap-scope.js";
import type { DeviceCredentials } from "./device-credentials.js";

/** Give exactly one of `passphrase` and `credentials`. */
export interface ReplicaAuthOptions {
  /** The passphrase of a root identity; not empty, not white space alone. White space around it counts. */
  readonly passphrase?: string;
  /** What bootstrap or pairing left on this device. */
  readonly credentials?: DeviceCredentials;
  /**
   * What the cap-certs allow, from the first request on. Default: everything, or what the cap-cert in `credentials`
   * allows.
   */
  readonly scope?: CapScope;
  /**
   * Mint a new cap-cert when the current one has fewer seconds left than this: 0 or more, and less than its 30 days.
   * Default 86 400, a day.
   */
  readonly refreshMarginSec?: number;
  /**
   * The time in Unix seconds, fractions allowed. Default: the system's. Everything that is signed takes its time from
   * here.
   */
  readonly clock?: () => number;
  /** What sends the signed requests. Default: `globalThis.fetch`, looked up at each call. */
  readonly fetchFn?: typeof fetch;
}

/** Signs requests as one identity. Its secrets are nowhere in its properties. */
export interface ReplicaAuth {
  /**
   * A `fetch` that signs each request, and each repetition of one anew. The body is read into memory. A 401 that shows
   * a wrong clock sets the clock and is tried once more. Redirects within the origin are followed, at most 5, unless
   * `redirect` says otherwise; one to another origin rejects with `PRIMARY_REDIRECTED`.
   */
  readonly fetch: typeof fetch;
  /**
   * The account's user id: the first 32 hex characters of SHA-256 over the root's public key. Compare it with the one
   * you expect.
   */
  readonly userId: string;
  /** The Ed25519 public key that signs the requests: 64 lowercase hex characters. */
  readonly publicKey: string;
  /**
   * The four headers that authenticate one request, good for sending it once. `body` is what will be sent; leave it out
   * for an upload whose media type is not JSON, which a primary checks as if it were empty.
   */
  sign(request: { method: string; url: string | URL; body?: string | Uint8Array }): Promise<Record<string, string>>;
  /**
   * Takes the `Date` header of a 401 that just came in and sets the clock by it where the two are more than a minute
   * apart; cap-certs are then minted anew. Answers whether signing again is worthwhile. Requests under way at the same
   * time share the clock: give the refused request's `X-Starfish-Ts` as `signedAtMs`, and the answer is also true when
   * another one has set the clock in between.
   */
  correctClock(dateHeader: string | null, signedAtMs?: number): boolean;
}
