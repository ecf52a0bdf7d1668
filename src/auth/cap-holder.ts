import { ReplicaError } from "../errors.js";
import { type CapCert, capAuthorization } from "./cap-cert.js";
import type { CapScope } from "./cap-scope.js";
import type { SigningKey } from "./ed25519.js";
import { mintDeviceCap } from "./mint-device-cap.js";

export interface CapHolderOptions {
  readonly key: SigningKey;
  readonly kemPub: string;
  /** The scope to mint with; `undefined` for a device that was paired, whose cap-cert only the root can renew. */
  readonly mintScope: CapScope | undefined;
  /** The cap-cert to begin with; without one the first request mints one. */
  readonly given: CapCert | undefined;
  readonly refreshMarginSec: number;
}

/** Holds the one cap-cert that requests present, and renews it where it can. */
export interface CapHolder {
  /**
   * The `Authorization` header at `nowSec`. Throws `INVALID_CREDENTIALS` when a paired device's cap-cert has expired.
   */
  authorization(nowSec: number): string;
  /** Makes the next request mint anew. No effect on a paired device. */
  renew(): void;
}

/**
 * A cap-cert that begins later than this after now was minted by a clock that was ahead: no primary with the right time
 * takes it.
 */
const MAX_EARLY_SEC = 60;

/**
 * Minting is synchronous, so no two requests can do it at the same time: the first one that finds the cap-cert near its
 * end mints, all others find the new one.
 */
export function createCapHolder({ key, kemPub, mintScope, given, refreshMarginSec }: CapHolderOptions): CapHolder {
  let cap = given;
  let header = given && capAuthorization(given);

  function usable(nowSec: number): boolean {
    if (cap === undefined) return false;
    const remainingSec = cap.exp - nowSec;
    return remainingSec > 0 && remainingSec >= refreshMarginSec && cap.nbf - nowSec <= MAX_EARLY_SEC;
  }

  function mint(scope: CapScope, nowSec: number): string {
    cap = mintDeviceCap({ key, kemPub, scope, nbf: nowSec });
    header = capAuthorization(cap);
    return header;
  }

  return {
    authorization(nowSec) {
      if (mintScope !== undefined) return header !== undefined && usable(nowSec) ? header : mint(mintScope, nowSec);
      if (cap === undefined || header === undefined || nowSec >= cap.exp) {
        const when = cap === undefined ? "" : ` at ${new Date(cap.exp * 1000).toISOString()}`;
        throw new ReplicaError("INVALID_CREDENTIALS", `The cap-cert of this paired device expired${when}`, {
          hint: "Pair the device again with its root, or give the root's passphrase or credentials, which renew themselves.",
        });
      }
      return header;
    },
    renew() {
      if (mintScope === undefined) return;
      cap = undefined;
      header = undefined;
    },
  };
}
