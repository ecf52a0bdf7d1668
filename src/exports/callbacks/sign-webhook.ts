import { createHmac } from "node:crypto";

const SECRET_PREFIX = "whsec_";
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

export interface WebhookMessage {
  /** The same for every try: receivers know by it what they have had already. */
  readonly id: string;
  /** When this try is made, in seconds since 1970. */
  readonly timestampSeconds: number;
  readonly body: string;
}

/**
 * The headers that Standard Webhooks wants: each of the secrets, which must be free of mistakes, signs once.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signWebhook(message: WebhookMessage, secrets: readonly string[]): Record<string, string> {
  const { id, timestampSeconds, body } = message;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${timestampSeconds}.${body}`).digest("base64")}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signatures.join(" "),
  };
}

/** What is wrong with a secret, as a sentence that goes on after its name; never shows any of it. `null` where it can be used. */
export function webhookSecretMistake(secret: unknown): string | null {
  const form = `must be "${SECRET_PREFIX}" and the base64 of ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} random bytes`;
  const recipe = `; make one with: echo "${SECRET_PREFIX}$(openssl rand -base64 32)"`;
  if (typeof secret !== "string") return `${form}, and is no text${recipe}`;
  if (!secret.startsWith(SECRET_PREFIX)) return `${form}, and does not begin so${recipe}`;
  const encoded = secret.slice(SECRET_PREFIX.length);
  // Buffer passes over what is no base64; receivers may read it otherwise, or not at all.
  const key = Buffer.from(encoded, "base64");
  if (key.toString("base64").replace(/=+$/, "") !== encoded.replace(/=+$/, "") || encoded.length % 4 !== 0) {
    return `${form}, and what follows is no base64${recipe}`;
  }
  if (key.length < MIN_SECRET_BYTES || key.length > MAX_SECRET_BYTES) {
    return `${form}, and has ${key.length} bytes${recipe}`;
  }
  return null;
}
