import { type DeviceCredentials, mintDeviceCap, type ScopePreset, scopes } from "@drakkar.software/starfish-identities";
import { ed25519Suite, userIdFromPubHex } from "@drakkar.software/starfish-protocol";

interface CredentialOptions {
  /** Default: `rootAll`. */
  readonly scope?: ScopePreset;
  /** Unix seconds. Default: now. */
  readonly nbf?: number;
  /** Default: 30 days. */
  readonly ttlSec?: number;
  /** A device that a root with another key paired. Default: the root's own device. */
  readonly paired?: boolean;
}

/** Credentials of a new random identity, made by starfish-identities and -protocol alone. */
export async function makeCredentials(options: CredentialOptions = {}): Promise<DeviceCredentials> {
  const { paired, scope = scopes.rootAll(), ...mint } = options;
  const device = ed25519Suite.generateSignerKeypair();
  const root = paired ? ed25519Suite.generateSignerKeypair() : device;
  const kem = ed25519Suite.generateKemKeypair();
  const subject = { edPubHex: device.pubHex, kemPubHex: kem.pubHex };
  return {
    rootEdPub: root.pubHex,
    userId: userIdFromPubHex(root.pubHex),
    device: { edPriv: device.privHex, edPub: device.pubHex, kemPriv: kem.privHex, kemPub: kem.pubHex },
    capCert: await mintDeviceCap(root.privHex, root.pubHex, subject, scope, mint),
  };
}

/** The current Unix second. */
export function nowSec(): number {
  return Math.floor(Date.now() / 1000);
}
