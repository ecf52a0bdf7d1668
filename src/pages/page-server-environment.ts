import { ConfigurationError } from "../errors.js";
import type { OAuthProviderOptions, PageServerOptions } from "./page-server-options.js";

type Environment = Readonly<Record<string, string | undefined>>;
type Seconds = "sessionTtlSeconds" | "syncTokenTtlSeconds" | "maxSyncTokenTtlSeconds" | "oauthStateTtlSeconds";

const SECONDS: Readonly<Record<Seconds, string>> = {
  sessionTtlSeconds: "SESSION_TTL_SECONDS",
  syncTokenTtlSeconds: "SYNC_TOKEN_TTL_SECONDS",
  maxSyncTokenTtlSeconds: "MAX_SYNC_TOKEN_TTL_SECONDS",
  oauthStateTtlSeconds: "OAUTH_STATE_TTL_SECONDS",
};

/**
 * The options that stand in environment variables: `SESSION_KEY` (several with commas between them, the first signs), `SESSION_TTL_SECONDS`,
 * `SYNC_TOKEN_TTL_SECONDS`, `MAX_SYNC_TOKEN_TTL_SECONDS`, `OAUTH_STATE_TTL_SECONDS`, `OAUTH_REDIRECT_BASE`, `GITHUB_CLIENT_ID`,
 * `GITHUB_CLIENT_SECRET`, `GOOGLE_CLIENT_ID`, `GOOGLE_CLIENT_SECRET`. What is not set is left out, and empty is not set. Values are checked by
 * `createPageServer`.
 * @throws ConfigurationError with every mistake at once: what is no number, and a client id without its secret
 */
export function readPageServerEnvironment(environment: Environment): Partial<PageServerOptions> {
  const mistakes: string[] = [];
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;

  const keys = read("SESSION_KEY")
    ?.split(",")
    .map((key) => key.trim());
  const [onlyKey] = keys ?? [];
  const redirectBase = read("OAUTH_REDIRECT_BASE");
  const github = provider("GITHUB", read, mistakes);
  const google = provider("GOOGLE", read, mistakes);
  const seconds: Partial<Record<Seconds, number>> = {};
  for (const [option, name] of Object.entries(SECONDS) as [Seconds, string][]) {
    const text = read(name);
    if (text === undefined) continue;
    if (/^\d{1,12}$/.test(text)) seconds[option] = Number(text);
    else mistakes.push(`${name} must be a whole number of seconds`);
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return {
    ...(keys !== undefined && onlyKey !== undefined && { sessionKey: keys.length === 1 ? onlyKey : keys }),
    ...seconds,
    ...(redirectBase !== undefined && { oauthRedirectBase: redirectBase }),
    ...(github !== undefined && { github }),
    ...(google !== undefined && { google }),
  };
}

function provider(
  name: string,
  read: (name: string) => string | undefined,
  mistakes: string[],
): OAuthProviderOptions | undefined {
  const [idName, secretName] = [`${name}_CLIENT_ID`, `${name}_CLIENT_SECRET`];
  const clientId = read(idName);
  const clientSecret = read(secretName);
  if (clientId !== undefined && clientSecret !== undefined) return { clientId, clientSecret };
  if (clientId !== undefined) mistakes.push(`${secretName} is missing: ${idName} is set`);
  if (clientSecret !== undefined) mistakes.push(`${idName} is missing: ${secretName} is set`);
  return undefined;
}
