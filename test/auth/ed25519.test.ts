import { readFile } from "node:fs/promises";
import { ed25519Suite } from "@drakkar.software/starfish-protocol";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createEd25519 } from "../../src/auth/create-ed25519.js";
import { buildOnce } from "../support/build-once.js";
import { size } from "../support/size.js";
import { makeCredentials } from "./credentials.js";
import { isSignedFor } from "./sent-request.js";

const native = await createEd25519("native");
const noble = await createEd25519("noble");
const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const numRuns = size({ test: 40, soak: 2_000 });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("createEd25519", () => {
  it("chooses the platform's own where it works, once", async () => {
    expect((await createEd25519()).kind).toBe("native");
    expect(createEd25519()).toBe(createEd25519());
  });

  it("gives the same keys and signatures natively, in JavaScript and in starfish-protocol", () => {
    fc.assert(
      fc.property(key32, fc.uint8Array({ maxLength: 300 }), (seed, message) => {
        const [a, b] = [native.importSeed(seed), noble.importSeed(seed)];
        expect(hex(b.publicKey)).toBe(hex(a.publicKey));
        const signature = hex(a.sign(message));
        expect(hex(b.sign(message))).toBe(signature);
        expect(hex(ed25519Suite.sign(message, hex(seed)))).toBe(signature);
      }),
      { numRuns },
    );
  });

  it("gives the same X25519 public keys natively, in JavaScript and in starfish-protocol", () => {
    fc.assert(
      fc.property(key32, (key) => {
        const expected = ed25519Suite.kemPublic(hex(key));
        expect(hex(native.x25519PublicKey(key))).toBe(expected);
        expect(hex(noble.x25519PublicKey(key))).toBe(expected);
      }),
      { numRuns, examples: [[new Uint8Array(32)], [new Uint8Array(32).fill(255)]] },
    );
  });

  it.each([native, noble])("verifies what it signed and nothing else: $kind", (suite) => {
    const key = suite.importSeed(new Uint8Array(32).fill(7));
    const message = Buffer.from("message");
    const signature = key.sign(message);
    expect(suite.verify(signature, message, key.publicKey)).toBe(true);
    expect(suite.verify(signature, Buffer.from("massage"), key.publicKey)).toBe(false);
    expect(suite.verify(signature.subarray(1), message, key.publicKey)).toBe(false);
    expect(suite.verify(signature, message, key.publicKey.subarray(1))).toBe(false);
    expect(suite.verify(signature, message, new Uint8Array(32).fill(255))).toBe(false);
  });

  it.each([native, noble])("refuses keys of another length: $kind", (suite) => {
    for (const length of [0, 31, 33, 64]) {
      expect(() => suite.importSeed(new Uint8Array(length))).toThrow();
      expect(() => suite.x25519PublicKey(new Uint8Array(length))).toThrow();
    }
  });
});

describe("createReplicaAuth on a platform without Ed25519", () => {
  afterEach(() => {
    vi.doUnmock("../../src/auth/native-ed25519.js");
    vi.resetModules();
  });

  it("signs the same identity's requests in JavaScript", async () => {
    vi.resetModules();
    vi.doMock("../../src/auth/native-ed25519.js", () => ({
      createNativeEd25519() {
        throw new Error("unsupported");
      },
    }));
    const { createEd25519: create } = await import("../../src/auth/create-ed25519.js");
    expect((await create()).kind).toBe("noble");
    const { createReplicaAuth } = await import("../../src/auth/create-replica-auth.js");
    const credentials = await makeCredentials({ ttlSec: 60 });
    const auth = await createReplicaAuth({ credentials });
    expect(auth.publicKey).toBe(credentials.device.edPub);
    const request = { method: "POST", url: "https://a.example/push/x", body: "{}" };
    expect(await isSignedFor(await auth.sign(request), request.method, request.url, request.body)).toBe(true);
  });
});

describe("importing createReplicaAuth", () => {
  it("loads no package: hash-wasm and @noble/ed25519 wait for their first use", async () => {
    const bundle = await readFile(await buildOnce("src/auth/create-replica-auth.ts"), "utf8");
    const imported = [...bundle.matchAll(/^import\b[^;]*?"([^"]+)";$/gm)].map((match) => match[1]);
    expect(imported).toContain("node:crypto");
    expect(imported.filter((name) => !name?.startsWith("node:"))).toEqual([]);
    expect(bundle).toContain('import("@noble/ed25519")');
  });
});
