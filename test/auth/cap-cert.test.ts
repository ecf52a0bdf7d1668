import { mintDeviceCap as mintTheirs, type ScopePreset } from "@drakkar.software/starfish-identities";
import { ed25519Suite, isRootDeviceCap, stableStringify, verifyCapCert } from "@drakkar.software/starfish-protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CapCert, capAuthorization } from "../../src/auth/cap-cert.js";
import { parseScope, ROOT_ALL } from "../../src/auth/cap-scope.js";
import { createEd25519 } from "../../src/auth/create-ed25519.js";
import { mintDeviceCap } from "../../src/auth/mint-device-cap.js";
import { size } from "../support/size.js";

const suites = [await createEd25519("native"), await createEd25519("noble")];
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("**", "!a/*", "\ud800", "\ufffd\u{1F600}"),
);
const scope: fc.Arbitrary<ScopePreset> = fc.record(
  {
    ops: fc.subarray(["read", "write", "list"] as const).map((ops) => [...ops]),
    collections: fc.array(text),
    paths: fc.array(text),
  },
  { requiredKeys: ["ops", "collections"], noNullPrototype: true },
);
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

describe("mintDeviceCap", () => {
  it("gives byte for byte the cap-cert of starfish-identities", async () => {
    await fc.assert(
      fc.asyncProperty(
        bytes(32),
        bytes(32),
        scope,
        fc.nat({ max: 4e9 }),
        bytes(16),
        async (seed, kem, asked, nbf, nonce) => {
          const kemPub = ed25519Suite.kemPublic(hex(kem));
          for (const suite of suites) {
            const key = suite.importSeed(seed);
            const ours = mintDeviceCap({ key, kemPub, scope: asked, nbf, nonce });
            const edPub = hex(key.publicKey);
            const theirs = await mintTheirs(hex(seed), edPub, { edPubHex: edPub, kemPubHex: kemPub }, asked, {
              nbf,
              nonce,
            });
            expect(stableStringify(ours)).toBe(stableStringify(theirs));
            expect(capAuthorization(ours)).toBe(`Cap ${Buffer.from(stableStringify(theirs)).toString("base64")}`);
          }
        },
      ),
      { numRuns: size({ test: 60, soak: 2_000 }) },
    );
  });

  it("passes starfish-protocol's verification, with a nonce of its own and 30 days to live", async () => {
    const key = suites[0]?.importSeed(new Uint8Array(32).fill(3));
    if (key === undefined) throw new Error("no suite");
    const mint = (): CapCert => mintDeviceCap({ key, kemPub: "00".repeat(32), scope: ROOT_ALL, nbf: 1_700_000_000 });
    const cap = mint();
    expect(await verifyCapCert(cap, { now: 1_700_000_000 })).toEqual({ ok: true });
    expect(await verifyCapCert(cap, { now: 1_700_000_000 + 30 * 86_400 })).toEqual({ ok: true });
    expect(cap.exp - cap.nbf).toBe(30 * 86_400);
    expect(isRootDeviceCap(cap)).toBe(true);
    expect(mint().nonce).not.toBe(cap.nonce);
  });
});

describe("parseScope", () => {
  it("copies the scope and leaves out paths that are undefined, which would travel as null", () => {
    const asked = { ops: ["read" as const], collections: ["a"], paths: undefined };
    expect(JSON.stringify(parseScope(asked))).toBe('{"ops":["read"],"collections":["a"]}');
    const paths = ["a/**", "!a/b"];
    const parsed = parseScope({ ops: ["read"], collections: ["a"], paths });
    paths.push("later");
    expect(parsed.paths).toEqual(["a/**", "!a/b"]);
  });
});
