import { HEADER } from "../protocol/wire.js";
import { createCapHolder } from "./cap-holder.js";
import { parseScope } from "./cap-scope.js";
import { createCorrectedClock } from "./corrected-clock.js";
import { createEd25519 } from "./create-ed25519.js";
import { CAP_LIFETIME_SEC } from "./mint-device-cap.js";
import { parseHttpUrl } from "./outgoing-request.js";
import type { ReplicaAuth, ReplicaAuthOptions } from "./replica-auth.js";
import { identityFromCredentials, identityFromPassphrase } from "./replica-identity.js";
import { signatureHeaders } from "./request-signature.js";
import { createSigningFetch } from "./signing-fetch.js";

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

/** What `createReplicaAuth` promises. */
export async function openReplicaAuth(options: ReplicaAuthOptions): Promise<ReplicaAuth> {
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
