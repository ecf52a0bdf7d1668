import { requestSigningCanonicalInput, type SignableMethod } from "@drakkar.software/starfish-protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import { requestSigningInput } from "../../src/auth/request-signature.js";
import { size } from "../support/size.js";
import { makeCredentials } from "./credentials.js";
import { isSignedFor } from "./sent-request.js";

const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE");
const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string());
const body = fc.option(fc.oneof(text, fc.uint8Array({ maxLength: 2_000 })), { nil: undefined });
const origin = fc.constantFrom(
  "https://a.example",
  "http://127.0.0.1:8080",
  "http://[::1]:3000",
  "https://bücher.example:444",
);
const url = fc.record({ origin, path: text, search: text }).map((parts) => {
  const made = new URL(parts.origin);
  made.pathname = parts.path;
  made.search = parts.search;
  return made;
});

describe("requestSigningInput", () => {
  it("is byte for byte that of starfish-protocol", () => {
    fc.assert(
      fc.property(
        method,
        url,
        body,
        fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (verb, address, content, ts, bytes) => {
          const nonce = Buffer.from(bytes).toString("base64");
          const theirs = requestSigningCanonicalInput(
            {
              method: verb as SignableMethod,
              pathAndQuery: address.pathname + address.search,
              host: address.host,
              ...(content !== undefined && { body: content }),
            },
            ts,
            nonce,
          );
          expect(requestSigningInput({ method: verb, url: address, body: content, ts, nonce })).toBe(theirs);
        },
      ),
      { numRuns: size({ test: 500, soak: 50_000 }) },
    );
  });
});

describe("ReplicaAuth.sign", () => {
  it("gives headers that starfish-protocol verifies, for any method, address and body", async () => {
    const auth = await createReplicaAuth({ credentials: await makeCredentials() });
    await fc.assert(
      fc.asyncProperty(method, url, body, async (verb, address, content) => {
        const request = { method: verb, url: address, ...(content !== undefined && { body: content }) };
        const headers = await auth.sign(request);
        expect(Object.keys(headers).sort()).toEqual([
          "Authorization",
          "X-Starfish-Nonce",
          "X-Starfish-Sig",
          "X-Starfish-Ts",
        ]);
        expect(await isSignedFor(headers, verb, address, content)).toBe(true);
        expect(await isSignedFor(headers, verb, address, "something else")).toBe(content === "something else");
      }),
      { numRuns: size({ test: 60, soak: 2_000 }) },
    );
  });

  it("never uses a nonce twice and signs methods in capitals", async () => {
    const auth = await createReplicaAuth({ credentials: await makeCredentials() });
    const request = { method: "get", url: "https://a.example/pull/x?y=1#part" };
    const all = await Promise.all(Array.from({ length: 100 }, () => auth.sign(request)));
    expect(new Set(all.map((headers) => headers["X-Starfish-Nonce"])).size).toBe(100);
    expect(await isSignedFor(all[0] ?? {}, "GET", "https://a.example/pull/x?y=1")).toBe(true);
  });

  it.each([
    ["a relative address", "/pull/x?token=s3cret"],
    ["another protocol", "file:///etc/passwd?token=s3cret"],
    ["an address with a password", "https://me:s3cret@a.example/"],
  ])("refuses %s with a TypeError that does not repeat it", async (_, address) => {
    const auth = await createReplicaAuth({ credentials: await makeCredentials() });
    const failure = await auth.sign({ method: "GET", url: address }).catch((e) => e);
    expect(failure).toBeInstanceOf(TypeError);
    expect(failure.message).not.toContain("s3cret");
  });
});
