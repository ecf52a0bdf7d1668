import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { signWebhook, webhookSecretMistake } from "../../../src/exports/callbacks/sign-webhook.js";

const secretOf = (bytes: number): string => `whsec_${randomBytes(bytes).toString("base64")}`;
const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

describe("signWebhook", () => {
  it("gives the signature of the specification's reference library", () => {
    const secret = secretOf(32);
    const timestampSeconds = 1_700_000_000;
    const body = '{"type":"export.completed","data":{"name":"Zoë \\u0000 𝕊"}}';
    const headers = signWebhook({ id: "msg_1", timestampSeconds, body }, [secret]);
    expect(headers).toEqual({
      "webhook-id": "msg_1",
      "webhook-timestamp": "1700000000",
      "webhook-signature": new Webhook(secret).sign("msg_1", new Date(timestampSeconds * 1_000), body),
    });
  });

  it("is verified by that library for any body, id and secret, and no more once a byte differs", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.stringMatching(/^[A-Za-z0-9_-]{1,60}$/),
        fc.integer({ min: 24, max: 64 }),
        (body, id, bytes) => {
          const secret = secretOf(bytes);
          const headers = signWebhook({ id, timestampSeconds: nowSeconds(), body }, [secret]);
          const receiver = new Webhook(secret);
          receiver.verify(body, headers, { jsonParse: false });
          expect(() => receiver.verify(`${body} `, headers, { jsonParse: false })).toThrow(/matching signature/);
          expect(() => receiver.verify(body, { ...headers, "webhook-id": `${id}x` }, { jsonParse: false })).toThrow();
          expect(() => new Webhook(secretOf(bytes)).verify(body, headers, { jsonParse: false })).toThrow();
        },
      ),
      { numRuns: 50 },
    );
  });

  it("signs with each secret, so that receivers with the old or the new one verify it", () => {
    const secrets = [secretOf(24), secretOf(32), secretOf(64)];
    const headers = signWebhook({ id: "msg_1", timestampSeconds: nowSeconds(), body: "{}" }, secrets);
    expect(headers["webhook-signature"]?.split(" ")).toHaveLength(3);
    for (const secret of secrets) expect(new Webhook(secret).verify("{}", headers)).toEqual({});
  });
});

describe("webhookSecretMistake", () => {
  it("takes 24 to 64 bytes", () => {
    for (const bytes of [24, 25, 26, 32, 63, 64]) expect(webhookSecretMistake(secretOf(bytes))).toBeNull();
  });

  const good = Buffer.alloc(32, 0xfb).toString("base64");
  it.each([
    ["no text", 5, /is no text/],
    ["nothing", undefined, /is no text/],
    ["no prefix", good, /does not begin so/],
    ["another prefix", `whpk_${good}`, /does not begin so/],
    ["an empty key", "whsec_", /has 0 bytes/],
    ["23 bytes", secretOf(23), /has 23 bytes/],
    ["65 bytes", secretOf(65), /has 65 bytes/],
    ["what is no base64", `whsec_${good.slice(0, -4)}!?*=`, /no base64/],
    ["the URL's base64", `whsec_${good.replaceAll("+", "-").replaceAll("/", "_")}`, /no base64/],
    ["base64 without its end", `whsec_${good.replace("=", "")}`, /no base64/],
    ["a blank within", `whsec_${good.slice(0, 8)} ${good.slice(8)}`, /no base64/],
    ["a line end", `whsec_${good}\n`, /no base64/],
    ["bits that are lost", `whsec_${Buffer.alloc(31).toString("base64").slice(0, -2)}B=`, /no base64/],
  ])("refuses %s, and shows none of it", (_what, secret, reason) => {
    const mistake = webhookSecretMistake(secret);
    expect(mistake).toMatch(/^must be "whsec_" and the base64 of 24 to 64 random bytes/);
    expect(mistake).toMatch(reason);
    if (typeof secret === "string" && secret.length > 12) expect(mistake).not.toContain(secret.slice(6, 12));
  });
});
