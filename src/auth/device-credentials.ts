import { ReplicaError } from "../errors.js";
import { type CapCert, capSigningInput } from "./cap-cert.js";
import type { Ed25519 } from "./ed25519.js";
import { userIdOf } from "./identity.js";

/** What a device holds after bootstrap or pairing, as in starfish-identities. Keys are 64 lowercase hex characters. */
export interface DeviceCredentials {
  /** Ed25519 public key of the account's root. */
  rootEdPub: string;
  /** The first 32 hex characters of SHA-256 over `rootEdPub`'s bytes. */
  userId: string;
  device: { edPriv: string; edPub: string; kemPriv: string; kemPub: string };
  capCert: CapCert;
}

const KEY = /^[0-9a-f]{64}$/;
const DEVICE_KEYS = ["edPriv", "edPub", "kemPriv", "kemPub"] as const;

function refuse(mistake: string, hint: string): never {
  throw new ReplicaError("INVALID_CREDENTIALS", `\`credentials\`: ${mistake}`, { hint });
}

const BROKEN = "Take the credentials whole, as bootstrap or pairing gave them.";

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const sameBytes = (key: Uint8Array, hex: string): boolean => Buffer.from(key).toString("hex") === hex;

function isScope(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const lists =
    value.paths === undefined ? [value.ops, value.collections] : [value.ops, value.collections, value.paths];
  return lists.every((list) => Array.isArray(list) && list.every((entry) => typeof entry === "string"));
}

function checkKey(name: string, value: unknown): void {
  if (typeof value !== "string" || !KEY.test(value)) {
    refuse(`${name} must be 64 lowercase hexadecimal characters (32 bytes)`, BROKEN);
  }
}

function checkCapCert({ capCert, rootEdPub, userId, device }: DeviceCredentials, ed25519: Ed25519): void {
  const hint = "The cap-cert must be the one that was issued to these device keys; bootstrap or pair again.";
  if (capCert.v !== 1 || capCert.kind !== "device") refuse('capCert must have v 1 and kind "device"', hint);
  const expected = { iss: rootEdPub, issUserId: userId, sub: device.edPub, subKem: device.kemPub };
  const meaning = { iss: "rootEdPub", issUserId: "userId", sub: "device.edPub", subKem: "device.kemPub" };
  for (const key of ["iss", "issUserId", "sub", "subKem"] as const) {
    if (capCert[key] !== expected[key]) refuse(`capCert.${key} is not ${meaning[key]}`, hint);
  }
  if (!Number.isInteger(capCert.nbf) || !Number.isInteger(capCert.exp) || capCert.exp <= capCert.nbf) {
    refuse("capCert.nbf and capCert.exp must be whole Unix seconds, exp the later one", hint);
  }
  if (!isScope(capCert.scope))
    refuse("capCert.scope must have lists of strings: ops, collections, and paths if any", hint);
  if (typeof capCert.nonce !== "string" || Buffer.from(capCert.nonce, "base64").length !== 16) {
    refuse("capCert.nonce must be 16 bytes in base64", hint);
  }
  const signature = typeof capCert.sig === "string" ? Buffer.from(capCert.sig, "base64") : new Uint8Array();
  if (!ed25519.verify(signature, capSigningInput(capCert), bytes(rootEdPub))) {
    refuse("capCert.sig is not rootEdPub's signature over this cap-cert", hint);
  }
}

/**
 * Checks that credentials are whole and that their parts belong together: keys, `userId`, cap-cert and its signature;
 * whether the cap-cert has expired is not asked. Answers a copy. Throws `INVALID_CREDENTIALS` naming the first part
 * that is wrong, never its value.
 */
export function verifyDeviceCredentials(credentials: unknown, ed25519: Ed25519): DeviceCredentials {
  if (!isRecord(credentials)) refuse("must be an object", BROKEN);
  const { rootEdPub, userId, device, capCert } = credentials as unknown as DeviceCredentials;
  checkKey("rootEdPub", rootEdPub);
  if (!isRecord(device)) refuse("device is missing", BROKEN);
  for (const name of DEVICE_KEYS) checkKey(`device.${name}`, device[name]);
  if (userIdOf(bytes(rootEdPub)) !== userId) refuse("userId does not belong to rootEdPub", BROKEN);
  if (!sameBytes(ed25519.importSeed(bytes(device.edPriv)).publicKey, device.edPub)) {
    refuse("device.edPub does not belong to device.edPriv", BROKEN);
  }
  if (!sameBytes(ed25519.x25519PublicKey(bytes(device.kemPriv)), device.kemPub)) {
    refuse("device.kemPub does not belong to device.kemPriv", BROKEN);
  }
  if (!isRecord(capCert)) refuse("capCert is missing", BROKEN);
  // As it travels: JSON leaves out what is undefined.
  const copy: DeviceCredentials = {
    rootEdPub,
    userId,
    device: { ...device },
    capCert: JSON.parse(JSON.stringify(capCert)),
  };
  checkCapCert(copy, ed25519);
  return copy;
}
