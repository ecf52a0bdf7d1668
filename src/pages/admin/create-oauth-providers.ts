import { createGithubProvider } from "./github-provider.js";
import { createGoogleProvider } from "./google-provider.js";
import { OAuthClient } from "./oauth-client.js";
import { GITHUB_ENDPOINTS, GOOGLE_ENDPOINTS, type OAuthEndpoints } from "./oauth-endpoints.js";
import type { OAuthProvider } from "./oauth-provider.js";

/** Where the browser comes back to, below `oauthRedirectBase`. */
export const CALLBACK_PATH = "/oauth/callback";

export interface OAuthProvidersOptions {
  /** Where this server is seen from outside; without it there are no providers. */
  readonly redirectBase: string | undefined;
  readonly github?: { readonly clientId: string; readonly clientSecret: string } | undefined;
  readonly google?: { readonly clientId: string; readonly clientSecret: string } | undefined;
}

/**
 * The providers that are configured.
 * @param endpoints where they are asked, for tests
 */
export function createOAuthProviders(
  { redirectBase, github, google }: OAuthProvidersOptions,
  endpoints: { readonly github?: OAuthEndpoints; readonly google?: OAuthEndpoints } = {},
): readonly OAuthProvider[] {
  if (redirectBase === undefined) return [];
  const redirectUri = `${redirectBase.replace(/\/+$/, "")}${CALLBACK_PATH}`;
  const providers: OAuthProvider[] = [];
  if (github !== undefined) {
    const places = endpoints.github ?? GITHUB_ENDPOINTS;
    const client = new OAuthClient({ title: "GitHub", ...github, redirectUri, endpoints: places });
    providers.push(createGithubProvider(client, places.api));
  }
  if (google !== undefined) {
    const places = endpoints.google ?? GOOGLE_ENDPOINTS;
    providers.push(
      createGoogleProvider(new OAuthClient({ title: "Google", ...google, redirectUri, endpoints: places })),
    );
  }
  return providers;
}
