import { deriveRootIdentity } from "@drakkar.software/starfish-identities";
import { describe, expect, it } from "vitest";
import { argon2id } from "../../src/auth/argon2id.js";
import { createEd25519 } from "../../src/auth/create-ed25519.js";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import { deriveIdentity } from "../../src/auth/identity.js";
import { expectProcessEnds } from "../support/open-handles.js";

describe("deriveIdentity", () => {
  it.each([
    ["plain text", "correct horse battery staple"],
    ["white space around and inside, a combining mark, an emoji and NUL", " \tpa\u0301ss  \u{1F600}\u0000 "],
    ["letters with compatibility forms", "\ufb01 \uff21 \u2126"],
    ["a lone surrogate, which UTF-8 cannot hold", "x\ud800y"],
  ])("gives the identity of starfish-identities for %s", async (_, passphrase) => {
    const [ours, theirs] = await Promise.all([
      deriveIdentity(passphrase, await createEd25519()),
      deriveRootIdentity(passphrase),
    ]);
    expect(ours).toEqual({ userId: theirs.userId, ...theirs.keys });
  });

  it("gives one identity for one passphrase, composed or not", async () => {
    const suite = await createEd25519();
    const [composed, decomposed] = await Promise.all([
      deriveIdentity("p\u00e1ss", suite),
      deriveIdentity("pa\u0301ss", suite),
    ]);
    expect(decomposed).toEqual(composed);
  });

  it("gives the same identity with the JavaScript curve", async () => {
    const [native, noble] = await Promise.all([createEd25519("native"), createEd25519("noble")]);
    const [a, b] = await Promise.all([deriveIdentity("same", native), deriveIdentity("same", noble)]);
    expect(b).toEqual(a);
  });

  it.each(["", " ", "\t\n", "\u00a0\ufeff"])("refuses the blank passphrase %j", async (passphrase) => {
    await expect(deriveIdentity(passphrase, await createEd25519())).rejects.toMatchObject({
      code: "INVALID_CREDENTIALS",
      message: expect.stringContaining("`passphrase` is empty"),
    });
  });

  it("leaves the event loop free while it derives", async () => {
    let turns = 0;
    const ticker = setInterval(() => {
      turns += 1;
    }, 1);
    const startedAt = performance.now();
    await deriveIdentity("does not block", await createEd25519());
    clearInterval(ticker);
    // A derivation in this thread would leave none or one.
    expect(turns).toBeGreaterThan((performance.now() - startedAt) / 50);
  });
});

describe("argon2id", () => {
  it("fails with INVALID_CREDENTIALS, without the passphrase, when hash-wasm cannot be loaded", async () => {
    const failure = await argon2id(Buffer.from("hunter2-secret"), "/nowhere/hash-wasm.js").catch((e) => e);
    expect(failure).toMatchObject({ code: "INVALID_CREDENTIALS", hint: expect.stringContaining("hash-wasm") });
    expect(`${failure.message}${failure.stack}${failure.hint}`).not.toContain("hunter2");
  });

  it("wipes the password it was given", async () => {
    const password = Buffer.from("wiped");
    const running = argon2id(password);
    expect(password.every((byte) => byte === 0)).toBe(true);
    expect(await running).toHaveLength(32);
  });
});

describe("createReplicaAuth with a passphrase", () => {
  it("has the userId and the public key of starfish-identities", async () => {
    const [auth, root] = await Promise.all([
      createReplicaAuth({ passphrase: "pass phrase" }),
      deriveRootIdentity("pass phrase"),
    ]);
    expect(auth.userId).toBe(root.userId);
    expect(auth.publicKey).toBe(root.keys.edPub);
  });

  it("leaves nothing behind that keeps the process alive", async () => {
    const { code } = await expectProcessEnds(new URL("./derive-and-end.ts", import.meta.url).pathname);
    expect(code).toBe(0);
  });
});
