import { verifyCapCert } from "@drakkar.software/starfish-protocol";
import { describe, expect, it } from "vitest";
import { createEd25519 } from "../../src/auth/create-ed25519.js";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import { deriveIdentity } from "../../src/auth/identity.js";
import type { ReplicaAuthOptions } from "../../src/auth/replica-auth.js";
import { makeCredentials } from "./credentials.js";
import { capOf } from "./sent-request.js";

const T0 = 1_700_000_000;
const DAY = 86_400;
const LIFETIME = 30 * DAY;
const GET = { method: "GET", url: "https://a.example/pull/x" };
const NARROW = { ops: ["read" as const], collections: ["posts"], paths: ["posts/**"] };
const OTHER = { ops: ["list" as const, "read" as const], collections: ["a", "b"] };

/** An auth with a clock that the test turns. */
async function withClock(options: ReplicaAuthOptions) {
  const time = { sec: T0 };
  const auth = await createReplicaAuth({ clock: () => time.sec, ...options });
  return { time, auth, cap: async () => capOf(await auth.sign(GET)) };
}

describe("the cap-cert of a replica", () => {
  it("has the asked scope from the first request on, with a passphrase", async () => {
    const { auth, cap } = await withClock({ passphrase: "narrow from the start", scope: NARROW });
    const first = await cap();
    expect(first).toMatchObject({
      scope: NARROW,
      nbf: T0,
      exp: T0 + LIFETIME,
      iss: auth.publicKey,
      sub: auth.publicKey,
    });
    expect(await verifyCapCert(first, { now: T0 })).toEqual({ ok: true });
    const { kemPub } = await deriveIdentity("narrow from the start", await createEd25519());
    expect(first.subKem).toBe(kemPub);
  });

  it("allows everything by default, with a passphrase", async () => {
    const { cap } = await withClock({ passphrase: "everything" });
    expect((await cap()).scope).toEqual({ ops: ["read", "list", "write"], paths: ["**"], collections: ["*"] });
  });

  it("has the asked scope from the first request on, with credentials of another scope", async () => {
    const credentials = await makeCredentials({ nbf: T0 });
    const { cap } = await withClock({ credentials, scope: NARROW });
    const first = await cap();
    expect(first.scope).toEqual(NARROW);
    expect(await verifyCapCert(first, { now: T0 })).toEqual({ ok: true });
    expect(await cap()).toEqual(first);
  });

  it("is the given one, to the byte, where it has the asked scope or none was asked", async () => {
    const credentials = await makeCredentials({ nbf: T0, scope: NARROW });
    for (const options of [{ credentials }, { credentials, scope: NARROW }]) {
      const { cap } = await withClock(options);
      expect(await cap()).toEqual(credentials.capCert);
    }
  });

  it("keeps the scope of the given one when it is refreshed", async () => {
    const credentials = await makeCredentials({ nbf: T0, scope: OTHER });
    const { cap, time } = await withClock({ credentials });
    time.sec = T0 + LIFETIME - 100;
    const fresh = await cap();
    expect(fresh).toMatchObject({ scope: OTHER, nbf: time.sec, exp: time.sec + LIFETIME });
    expect(await verifyCapCert(fresh, { now: time.sec })).toEqual({ ok: true });
  });

  it.each([
    [undefined, DAY],
    [0, 0],
    [10, 10],
    [LIFETIME - 1, LIFETIME - 1],
  ])("is minted anew when fewer than refreshMarginSec = %s seconds remain", async (refreshMarginSec, margin) => {
    const credentials = await makeCredentials({ nbf: T0 });
    const options = refreshMarginSec === undefined ? {} : { refreshMarginSec };
    const { cap, time, auth } = await withClock({ credentials, ...options });
    const { publicKey, userId } = auth;
    // With no margin the very second of expiry is too late.
    time.sec = T0 + LIFETIME - Math.max(margin, 1);
    expect(await cap()).toEqual(credentials.capCert);
    time.sec += 1;
    const fresh = await cap();
    expect(fresh).toMatchObject({
      nbf: time.sec,
      iss: publicKey,
      sub: publicKey,
      issUserId: userId,
      subKem: credentials.device.kemPub,
    });
    expect(await cap()).toEqual(fresh);
  });

  it("is minted once for a hundred requests at the same time", async () => {
    const credentials = await makeCredentials({ nbf: T0, ttlSec: 60 });
    const { auth } = await withClock({ credentials });
    const all = await Promise.all(Array.from({ length: 100 }, () => auth.sign(GET)));
    expect(new Set(all.map(({ Authorization }) => Authorization)).size).toBe(1);
    expect(capOf(all[0] ?? {}).nonce).not.toBe(credentials.capCert.nonce);
  });

  it("is minted anew when the one at hand begins in the future", async () => {
    const { cap, time } = await withClock({ credentials: await makeCredentials({ nbf: T0 + 3_600 }) });
    expect((await cap()).nbf).toBe(T0);
    time.sec = T0 - 3_600;
    expect((await cap()).nbf).toBe(T0 - 3_600);
  });

  it("does not change when the caller changes the objects that were handed in", async () => {
    const credentials = await makeCredentials({ nbf: T0, scope: NARROW });
    const kept = structuredClone(credentials.capCert);
    const { cap } = await withClock({ credentials });
    credentials.capCert.scope.collections.push("more");
    credentials.device.edPriv = "00".repeat(32);
    expect(await cap()).toEqual(kept);
  });
});

describe("the cap-cert of a paired device", () => {
  it("is used until it expires, margin or not, and then asks to pair again", async () => {
    const credentials = await makeCredentials({ paired: true, nbf: T0, ttlSec: 100 });
    const { cap, time, auth } = await withClock({ credentials });
    expect(auth.publicKey).toBe(credentials.device.edPub);
    expect(auth.userId).toBe(credentials.userId);
    time.sec = T0 + 99;
    expect(await cap()).toEqual(credentials.capCert);
    time.sec = T0 + 100;
    const failure = await auth.fetch(GET.url).catch((error) => error);
    expect(failure).toMatchObject({
      code: "INVALID_CREDENTIALS",
      hint: expect.stringContaining("Pair the device again"),
    });
    expect(failure.message).toContain(new Date((T0 + 100) * 1000).toISOString());
  });

  it("survives a correction of the clock", async () => {
    const credentials = await makeCredentials({ paired: true, nbf: T0, ttlSec: 10_000 });
    const { cap, auth } = await withClock({ credentials });
    expect(auth.correctClock(new Date((T0 + 3_600) * 1000).toUTCString())).toBe(true);
    expect(await cap()).toEqual(credentials.capCert);
  });

  it("cannot be given another scope", async () => {
    const credentials = await makeCredentials({ paired: true });
    await expect(createReplicaAuth({ credentials, scope: NARROW })).rejects.toMatchObject({
      code: "INVALID_CREDENTIALS",
      message: expect.stringContaining("`scope`"),
      hint: expect.stringContaining("pair the device with that scope"),
    });
  });
});

describe("the clock", () => {
  const dateAt = (sec: number): string => new Date(sec * 1000).toUTCString();

  it("gives the timestamps of signatures, in milliseconds", async () => {
    const { auth, time } = await withClock({ credentials: await makeCredentials({ nbf: T0 }) });
    time.sec = T0 + 0.25;
    expect((await auth.sign(GET))["X-Starfish-Ts"]).toBe(String(T0 * 1000 + 250));
  });

  it("is left alone up to a minute, and by a date that cannot be read", async () => {
    const { auth } = await withClock({ credentials: await makeCredentials({ nbf: T0 }) });
    for (const date of [dateAt(T0), dateAt(T0 + 60), dateAt(T0 - 60), null, "", "soon"]) {
      expect(auth.correctClock(date)).toBe(false);
    }
    expect((await auth.sign(GET))["X-Starfish-Ts"]).toBe(String(T0 * 1000));
  });

  it.each([3_600, -3_600, 61, -61, 10 * 365 * DAY])(
    "is set right when it is %i seconds off, once, and the cap-cert with it",
    async (off) => {
      const credentials = await makeCredentials({ nbf: T0 });
      const { auth, time, cap } = await withClock({ credentials });
      expect(auth.correctClock(dateAt(T0 + off))).toBe(true);
      expect(auth.correctClock(dateAt(T0 + off))).toBe(false);
      expect((await auth.sign(GET))["X-Starfish-Ts"]).toBe(String((T0 + off) * 1000));
      expect(await cap()).toMatchObject({ nbf: T0 + off, exp: T0 + off + LIFETIME });
      time.sec += 5;
      expect((await auth.sign(GET))["X-Starfish-Ts"]).toBe(String((T0 + off + 5) * 1000));
    },
  );

  it("answers true to everybody whose request was signed before it was set right", async () => {
    const { auth } = await withClock({ credentials: await makeCredentials({ nbf: T0 }) });
    const signedAt = Number((await auth.sign(GET))["X-Starfish-Ts"]);
    const date = dateAt(T0 + 3_600);
    expect(auth.correctClock(date, signedAt)).toBe(true);
    expect(auth.correctClock(date, signedAt)).toBe(true);
    const signedAgain = Number((await auth.sign(GET))["X-Starfish-Ts"]);
    expect(auth.correctClock(date, signedAgain)).toBe(false);
  });

  it.each([Date.now(), Number.NaN, Infinity, "now", undefined])("is refused when it returns %s", async (value) => {
    const credentials = await makeCredentials();
    const clock = (() => value) as () => number;
    await expect(createReplicaAuth({ credentials, clock })).rejects.toThrow(/`clock` must return Unix seconds/);
  });
});
