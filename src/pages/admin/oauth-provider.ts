import type { ProviderIdentity } from "../accounts/accounts.js";

/** Somebody who can say who a user is: authorization code with PKCE (RFC 6749, RFC 7636). */
export interface OAuthProvider {
  readonly name: ProviderIdentity["provider"];
  /** Where the browser is sent to. */
  authorizationUrl(state: string, codeVerifier: string): Promise<string>;
  /** Spends the code that the browser came back with. @throws `OAUTH_FAILED`; retryable where the provider gives no answer */
  identify(state: string, code: string, codeVerifier: string): Promise<ProviderIdentity>;
}
