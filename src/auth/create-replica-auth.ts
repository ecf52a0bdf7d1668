import { HEADER } from "../protocol/wire.js";
import { createCapHolder } from "./cap-holder.js";
import { type CapScope, parseScope } from "./cap-scope.js";
import { createCorrectedClock } from "./corrected-clock.js";
import { createEd25519 } from "./create-ed25519.js";
import type { DeviceCredentials } from "./device-credentials.js";
import { CAP_LIFETIME_SEC } from "./mint-device-cap.js";
import { parseHttpUrl } from "./outgoing-request.js";
import { identityFromCredentials, identityFromPassphrase } from "./replica-identity.js";
import { signatureHeaders } from "./request-signature.js";
import { createSigningFetch } from "./signing-fetch.js";

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

function checkOptions(options: ReplicaAuthOptions): void {
  if (typeof options !== "object" || options === null) throw new TypeError("createReplicaAuth takes an options object");
  const { passphrase, credentials, refreshMarginSec, clock, fetchFn } = options;
  if ((passphrase === undefined) === (credentials === undefined)) {
    const found = passphrase === undefined ? "neither" : "both";
    throw new TypeError(`give exactly one of \`passphrase\` and \`credentials\`, not ${found}`);
  }
  if (passphrase !== undefined && typeof passphrase !== "string") throw new TypeError("`passphrase` must be a string");
  if (clock !== undefined && typeof clock !== "function") {
    throw new TypeError("`clock` must be a function that returns Unix seconds");
  }
  if (fetchFn !== undefined && typeof fetchFn !== "function") {
    throw new TypeError("`fetchFn` must be a function with the signature of fetch");
  }
  if (refreshMarginSec === undefined) return;
  if (typeof refreshMarginSec !== "number" || !(refreshMarginSec >= 0)) {
    throw new TypeError("`refreshMarginSec` must be a number of seconds, 0 or more");
  }
  if (refreshMarginSec >= CAP_LIFETIME_SEC) {
    throw new TypeError(
      `\`refreshMarginSec\` must be less than ${CAP_LIFETIME_SEC}, the 30 days that a cap-cert lives: every request would mint one`,
    );
  }
}

/**
 * Authenticates a replica to its primaries: derives the identity of a passphrase, or takes a device's credentials, and
 * signs requests with it. Throws a `TypeError` on options that cannot work, `INVALID_CREDENTIALS` on a passphrase or
 * credentials that cannot; neither repeats a secret.
 */
export async function createReplicaAuth(options: ReplicaAuthOptions): Promise<ReplicaAuth> {
  checkOptions(options);
  const { passphrase, credentials, refreshMarginSec = 86_400, fetchFn } = options;
  const scope = options.scope === undefined ? undefined : parseScope(options.scope);
  const clock = createCorrectedClock(options.clock);
  clock.nowMs();

  const ed25519 = await createEd25519();
  const { userId, ...identity } =
    passphrase === undefined
      ? identityFromCredentials(credentials, scope, ed25519)
      : await identityFromPassphrase(passphrase, scope, ed25519);
  const cap = createCapHolder({ ...identity, refreshMarginSec });

  function sign(method: string, url: URL, body: string | Uint8Array | undefined): Record<string, string> {
    const ts = clock.nowMs();
    const authorization = cap.authorization(Math.floor(ts / 1000));
    return { [HEADER.authorization]: authorization, ...signatureHeaders({ method, url, body, ts }, identity.key) };
  }

  function correctClock(dateHeader: string | null, signedAtMs?: number): boolean {
    if (clock.correct(dateHeader)) {
      cap.renew();
      return true;
    }
    return signedAtMs !== undefined && clock.disagrees(dateHeader, signedAtMs);
  }

  return {
    fetch: createSigningFetch({ sign, correctClock, fetchFn }),
    userId,
    publicKey: Buffer.from(identity.key.publicKey).toString("hex"),
    sign: async ({ method, url, body }) => sign(method.toUpperCase(), parseHttpUrl(url), body),
    correctClock,
  };
}
