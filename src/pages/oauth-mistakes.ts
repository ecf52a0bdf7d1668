import { suggestion } from "../config/nearest-name.js";
import { showValue } from "../config/show-value.js";
import type { OAuthProviderOptions, PageServerOptions } from "./page-server-options.js";

const PROVIDER_KEYS: Readonly<Record<keyof OAuthProviderOptions, string>> = {
  clientId: "the client id that the provider gave",
  clientSecret: "the secret that belongs to the client id",
};

/** What is wrong with the options of login by OAuth. A secret is in no sentence. */
export function oauthMistakes({ oauthRedirectBase, github, google }: PageServerOptions): string[] {
  return [
    ...baseMistakes(oauthRedirectBase),
    ...providerMistakes("github", github),
    ...providerMistakes("google", google),
  ];
}

function baseMistakes(base: unknown): string[] {
  if (base === undefined) return [];
  const what = 'oauthRedirectBase must be the URL of this server from outside, for instance "https://sync.example.com"';
  const url = typeof base === "string" && URL.canParse(base) ? new URL(base) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    return [`${what}, got ${showValue(base)}`];
  if (url.username !== "" || url.password !== "") return [`${what}, without user and password`];
  if (url.search !== "" || url.hash !== "") return [`${what}, without query and fragment`];
  return [];
}

function providerMistakes(name: string, provider: unknown): string[] {
  if (provider === undefined) return [];
  if (typeof provider !== "object" || provider === null || Array.isArray(provider))
    return [`${name} must be an object with clientId and clientSecret, got ${showValue(provider)}`];
  const known = Object.keys(PROVIDER_KEYS) as (keyof OAuthProviderOptions)[];
  const unknown = Object.keys(provider)
    .filter((key) => !known.includes(key as keyof OAuthProviderOptions))
    .map((key) => `unknown option "${name}.${key}": ${suggestion(key, known)}`);
  const missing = known
    .filter((key) => {
      const value: unknown = (provider as Partial<Record<string, unknown>>)[key];
      return typeof value !== "string" || value === "";
    })
    .map((key) => `${name}.${key} must be ${PROVIDER_KEYS[key]}`);
  return [...unknown, ...missing];
}
