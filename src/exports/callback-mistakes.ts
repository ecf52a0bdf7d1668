import { suggestion } from "../config/nearest-name.js";
import { showValue } from "../config/show-value.js";
import { webhookSecretMistake } from "./callbacks/sign-webhook.js";
import type { CallbackOptions } from "./exports-options.js";

const KNOWN: Readonly<Record<keyof CallbackOptions, true>> = {
  secret: true,
  allowPrivate: true,
  giveUpAfterSeconds: true,
};
const MAX_GIVE_UP_SECONDS = 2_592_000;

/** What is wrong with `callbacks`. Shows nothing of a secret. */
export function callbackMistakes(callbacks: unknown): string[] {
  if (callbacks === undefined) return [];
  if (typeof callbacks !== "object" || callbacks === null || Array.isArray(callbacks))
    // Not shown: it may be the secret itself.
    return ['callbacks must be an object such as { secret: "whsec_..." }'];
  const known = Object.keys(KNOWN);
  const mistakes = Object.keys(callbacks)
    .filter((key) => !known.includes(key))
    .map((key) => `unknown option "callbacks.${key}": ${suggestion(key, known)}`);
  const { secret, allowPrivate, giveUpAfterSeconds } = callbacks as Readonly<Record<string, unknown>>;
  mistakes.push(...secretMistakes(secret));
  if (allowPrivate !== undefined && typeof allowPrivate !== "boolean")
    mistakes.push(`callbacks.allowPrivate must be true or false, got ${showValue(allowPrivate)}`);
  const inRange =
    Number.isInteger(giveUpAfterSeconds) &&
    Number(giveUpAfterSeconds) >= 1 &&
    Number(giveUpAfterSeconds) <= MAX_GIVE_UP_SECONDS;
  if (giveUpAfterSeconds !== undefined && !inRange) {
    const range = `a whole number of seconds from 1 to ${MAX_GIVE_UP_SECONDS}`;
    mistakes.push(`callbacks.giveUpAfterSeconds must be ${range}, got ${showValue(giveUpAfterSeconds)}`);
  }
  return mistakes;
}

function secretMistakes(secret: unknown): string[] {
  if (Array.isArray(secret) && secret.length === 0)
    return ["callbacks.secret must be a secret or a list with at least one"];
  const places: [string, unknown][] = Array.isArray(secret)
    ? secret.map((one, index) => [`callbacks.secret[${index}]`, one])
    : [["callbacks.secret", secret]];
  return places.flatMap(([place, one]) => {
    const mistake = webhookSecretMistake(one);
    return mistake === null ? [] : [`${place} ${mistake}`];
  });
}
