import { inspect } from "node:util";
import type { DeviceCredentials } from "@drakkar.software/starfish-identities";
import { ed25519Suite, signCapCert } from "@drakkar.software/starfish-protocol";
import { describe, expect, expectTypeOf, it } from "vitest";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import type { DeviceCredentials as OurCredentials } from "../../src/auth/device-credentials.js";
import type { ReplicaAuthOptions } from "../../src/auth/replica-auth.js";
import { makeCredentials } from "./credentials.js";

const good = await makeCredentials();
const other = await makeCredentials();
const paired = await makeCredentials({ paired: true });
const LIFETIME = 30 * 86_400;

/** The good credentials with one thing changed. */
function changed(change: (copy: DeviceCredentials) => void, from = good): unknown {
  const copy = structuredClone(from);
  change(copy);
  return copy;
}

/** The good credentials with a cap-cert that says something else and is signed properly. */
function resigned(change: (cert: Record<string, unknown>) => void): unknown {
  return changed((copy) => {
    const cert = copy.capCert as unknown as Record<string, unknown>;
    change(cert);
    copy.capCert = signCapCert(copy.capCert, copy.device.edPriv);
  });
}

/** No secret of any credentials in anything that a log could show of an error. */
function expectNoSecrets(error: Error): void {
  const printed = `${inspect(error, { depth: Infinity, showHidden: true })}${error.stack}${JSON.stringify(error)}`;
  for (const { device } of [good, other, paired]) {
    expect(printed).not.toContain(device.edPriv);
    expect(printed).not.toContain(device.kemPriv);
    expect(printed).not.toContain(device.edPriv.toUpperCase());
  }
}

describe("options that cannot work are a TypeError", () => {
  const table: [string, unknown, RegExp][] = [
    ["no options", undefined, /options object/],
    ["null", null, /options object/],
    ["neither passphrase nor credentials", {}, /exactly one of `passphrase` and `credentials`, not neither/],
    ["both", { passphrase: "x", credentials: good }, /exactly one .* not both/],
    ["a passphrase that is no text", { passphrase: 5 }, /`passphrase` must be a string/],
    ["a clock that is no function", { credentials: good, clock: 5 }, /`clock` must be a function/],
    ["a fetchFn that is no function", { credentials: good, fetchFn: {} }, /`fetchFn` must be a function/],
    ["a negative margin", { credentials: good, refreshMarginSec: -1 }, /`refreshMarginSec` must be .* 0 or more/],
    ["a margin that is NaN", { credentials: good, refreshMarginSec: Number.NaN }, /`refreshMarginSec`/],
    ["a margin that is text", { credentials: good, refreshMarginSec: "5" }, /`refreshMarginSec`/],
    ["a margin of the whole lifetime", { credentials: good, refreshMarginSec: LIFETIME }, /less than 2592000/],
    ["an endless margin", { credentials: good, refreshMarginSec: Infinity }, /less than 2592000/],
    ["a scope that is null", { credentials: good, scope: null }, /`scope.ops`/],
    ["a scope without ops", { credentials: good, scope: { ops: [], collections: ["*"] } }, /`scope.ops`/],
    ["an unknown op", { credentials: good, scope: { ops: ["delete"], collections: ["*"] } }, /`scope.ops`/],
    [
      "a scope without collections",
      { credentials: good, scope: { ops: ["read"], collections: [] } },
      /`scope.collections`/,
    ],
    ["empty paths", { credentials: good, scope: { ops: ["read"], collections: ["*"], paths: [] } }, /`scope.paths`/],
    [
      "paths that only deny",
      { credentials: good, scope: { ops: ["read"], collections: ["*"], paths: ["!a"] } },
      /`scope.paths`/,
    ],
  ];

  it.each(table)("%s", async (_, options, message) => {
    const error = await createReplicaAuth(options as ReplicaAuthOptions).catch((e) => e);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
    expectNoSecrets(error);
  });
});

describe("credentials that cannot be used are INVALID_CREDENTIALS", () => {
  const table: [string, unknown, RegExp][] = [
    ["text", "credentials", /must be an object/],
    ["null", null, /must be an object/],
    ["no device", changed((c) => Object.assign(c, { device: undefined })), /device is missing/],
    ["no cap-cert", changed((c) => Object.assign(c, { capCert: null })), /capCert is missing/],
    ["a public root key that is no hex", changed((c) => (c.rootEdPub = "xyz")), /rootEdPub must be 64 lowercase hex/],
    [
      "a secret key that is too short",
      changed((c) => (c.device.edPriv = c.device.edPriv.slice(1))),
      /device\.edPriv must be 64/,
    ],
    [
      "a secret key in capitals",
      changed((c) => (c.device.edPriv = c.device.edPriv.toUpperCase())),
      /device\.edPriv must be 64/,
    ],
    [
      "a kem key that is no text",
      changed((c) => Object.assign(c.device, { kemPriv: 1 })),
      /device\.kemPriv must be 64/,
    ],
    [
      "signing keys that do not belong together",
      changed((c) => (c.device.edPriv = other.device.edPriv)),
      /device\.edPub does not belong/,
    ],
    [
      "kem keys that do not belong together",
      changed((c) => (c.device.kemPub = other.device.kemPub)),
      /device\.kemPub does not belong/,
    ],
    ["somebody else's userId", changed((c) => (c.userId = other.userId)), /userId does not belong to rootEdPub/],
    ["somebody else's cap-cert", changed((c) => (c.capCert = other.capCert)), /capCert\.iss is not rootEdPub/],
    [
      "a cap-cert for another device",
      changed((c) => (c.capCert.sub = other.device.edPub)),
      /capCert\.sub is not device\.edPub/,
    ],
    ["a cap-cert for another kem key", changed((c) => (c.capCert.subKem = other.device.kemPub)), /capCert\.subKem/],
    [
      "a cap-cert for another user",
      changed((c) => (c.capCert.issUserId = other.userId)),
      /capCert\.issUserId is not userId/,
    ],
    [
      "another root with a paired cap-cert",
      changed((c) => {
        c.rootEdPub = other.rootEdPub;
        c.userId = other.userId;
      }, paired),
      /capCert\.iss is not rootEdPub/,
    ],
    ["a member's cap-cert", resigned((c) => (c.kind = "member")), /kind "device"/],
    ["a cap-cert of another version", resigned((c) => (c.v = 2)), /v 1/],
    ["a cap-cert that ends before it begins", resigned((c) => (c.exp = c.nbf)), /capCert\.nbf and capCert\.exp/],
    ["a cap-cert with a broken second", resigned((c) => (c.nbf = 1.5)), /whole Unix seconds/],
    ["a cap-cert without scope", resigned((c) => (c.scope = undefined)), /capCert\.scope/],
    ["a cap-cert whose scope is text", resigned((c) => (c.scope = { ops: "read", collections: [] })), /capCert\.scope/],
    ["a short nonce", resigned((c) => (c.nonce = "AAAA")), /capCert\.nonce must be 16 bytes/],
    ["a widened cap-cert", changed((c) => (c.capCert.exp += 1)), /capCert\.sig is not/],
    [
      "a signature of somebody else",
      changed((c) => (c.capCert = signCapCert(c.capCert, other.device.edPriv))),
      /capCert\.sig/,
    ],
    ["a signature that is none", changed((c) => (c.capCert.sig = "AAAA")), /capCert\.sig/],
    ["no signature", changed((c) => Object.assign(c.capCert, { sig: undefined })), /capCert\.sig/],
  ];

  it.each(table)("%s", async (_, credentials, message) => {
    const error = await createReplicaAuth({ credentials: credentials as OurCredentials }).catch((e) => e);
    expect(error).toMatchObject({ name: "ReplicaError", code: "INVALID_CREDENTIALS", hint: expect.any(String) });
    expect(error.message).toMatch(message);
    expectNoSecrets(error);
  });

  it.each(["", "  \n"])("the blank passphrase %j", async (passphrase) => {
    await expect(createReplicaAuth({ passphrase })).rejects.toMatchObject({ code: "INVALID_CREDENTIALS" });
  });
});

describe("credentials", () => {
  it("have the type of starfish-identities' own, both ways", () => {
    expectTypeOf<OurCredentials>().toEqualTypeOf<DeviceCredentials>();
  });

  it("are accepted when only the kem key is another one than ever seen", async () => {
    const kem = ed25519Suite.generateKemKeypair();
    const credentials = resigned((cert) => (cert.subKem = kem.pubHex)) as DeviceCredentials;
    Object.assign(credentials.device, { kemPriv: kem.privHex, kemPub: kem.pubHex });
    expect((await createReplicaAuth({ credentials })).userId).toBe(good.userId);
  });
});
