import * as oauth from "oauth4webapi";
import { ReplicaError } from "../../errors.js";
import type { OAuthClient } from "./oauth-client.js";
import type { OAuthProvider } from "./oauth-provider.js";

/** GitHub refuses requests that name no program. */
const HEADERS = {
  Accept: "application/vnd.github+json",
  "User-Agent": "starfish-replica",
  "X-GitHub-Api-Version": "2022-11-28",
};

/**
 * Login with GitHub: it is no OpenID provider, so its API is asked who the user is, and which of the addresses is the primary one and verified.
 * @param api for instance `https://api.github.com`
 */
export function createGithubProvider(client: OAuthClient, api: string): OAuthProvider {
  const ask = async (path: string, accessToken: string): Promise<unknown> => {
    const response = await oauth.protectedResourceRequest(
      accessToken,
      "GET",
      new URL(`${api}${path}`),
      new Headers(HEADERS),
      null,
      client.requestOptions,
    );
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`GET ${path} answered ${response.status}`, { cause: response });
    }
    return await response.json();
  };
  return {
    name: "github",
    authorizationUrl: (state, codeVerifier) =>
      client.authorizationUrl(state, codeVerifier, { scope: "read:user user:email" }),
    identify: (state, code, codeVerifier) =>
      client.exchange({ state, code, codeVerifier }, async (response) => {
        const granted = await oauth.processAuthorizationCodeResponse(client.server, client.client, response);
        const [user, emails] = await Promise.all([
          ask("/user", granted.access_token),
          ask("/user/emails?per_page=100", granted.access_token),
        ]);
        return { provider: "github", subject: subjectOf(user), email: verifiedEmail(emails) };
      }),
  };
}

function subjectOf(user: unknown): string {
  if (typeof user === "object" && user !== null && "id" in user && Number.isSafeInteger(user.id))
    return String(user.id);
  throw new Error("GET /user gave no id");
}

function verifiedEmail(emails: unknown): string {
  if (!Array.isArray(emails)) throw new Error("GET /user/emails gave no list");
  for (const entry of emails as readonly (Record<string, unknown> | null)[]) {
    if (entry?.primary === true && entry.verified === true && typeof entry.email === "string") return entry.email;
  }
  throw new ReplicaError("OAUTH_FAILED", "The primary email of this GitHub account is not verified", {
    hint: "Verify it in the settings of GitHub, and log in again",
  });
}
