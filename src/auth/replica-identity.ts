import { ReplicaError } from "../errors.js";
import type { CapHolderOptions } from "./cap-holder.js";
import { type CapScope, ROOT_ALL } from "./cap-scope.js";
import { verifyDeviceCredentials } from "./device-credentials.js";
import type { Ed25519 } from "./ed25519.js";
import { deriveIdentity } from "./identity.js";

/**
 * Who a replica is, and how it may present itself: `userId` and what a cap holder needs, but for the refresh margin.
 */
export interface ReplicaIdentity extends Omit<CapHolderOptions, "refreshMarginSec"> {
  readonly userId: string;
}

const seedOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));

/** The root identity of a passphrase; it mints cap-certs with the asked scope, or one that allows everything. */
export async function identityFromPassphrase(
  passphrase: string,
  scope: CapScope | undefined,
  ed25519: Ed25519,
): Promise<ReplicaIdentity> {
  const { userId, edPriv, kemPub } = await deriveIdentity(passphrase, ed25519);
  return { userId, key: ed25519.importSeed(seedOf(edPriv)), kemPub, mintScope: scope ?? ROOT_ALL, given: undefined };
}

function sameScope(a: CapScope, b: CapScope): boolean {
  const order = ({ ops, collections, paths }: CapScope): string => JSON.stringify([ops, collections, paths]);
  return order(a) === order(b);
}

/**
 * The identity of a device's credentials. A root's own device mints cap-certs, with the asked scope or that of the
 * cap-cert it came with; a paired device has only the one that its root issued, so asking it for a scope is refused.
 * Throws `INVALID_CREDENTIALS`.
 */
export function identityFromCredentials(
  credentials: unknown,
  scope: CapScope | undefined,
  ed25519: Ed25519,
): ReplicaIdentity {
  const { userId, rootEdPub, device, capCert } = verifyDeviceCredentials(credentials, ed25519);
  const isRoot = device.edPub === rootEdPub;
  if (!isRoot && scope !== undefined) {
    throw new ReplicaError("INVALID_CREDENTIALS", "`scope` cannot be applied to the credentials of a paired device", {
      hint: "Its cap-cert is signed by the root: pair the device with that scope, or leave `scope` out.",
    });
  }
  return {
    userId,
    key: ed25519.importSeed(seedOf(device.edPriv)),
    kemPub: device.kemPub,
    mintScope: isRoot ? (scope ?? capCert.scope) : undefined,
    given: scope === undefined || sameScope(scope, capCert.scope) ? capCert : undefined,
  };
}
