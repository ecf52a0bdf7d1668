/** Where a provider is asked. The tests put a provider of their own there. */
export interface OAuthEndpoints {
  readonly issuer: string;
  readonly authorization: string;
  readonly token: string;
  /** GitHub: its API. Google: the keys that sign id tokens. */
  readonly api: string;
}

/** https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps */
export const GITHUB_ENDPOINTS: OAuthEndpoints = {
  issuer: "https://github.com",
  authorization: "https://github.com/login/oauth/authorize",
  token: "https://github.com/login/oauth/access_token",
  api: "https://api.github.com",
};

/** https://accounts.google.com/.well-known/openid-configuration */
export const GOOGLE_ENDPOINTS: OAuthEndpoints = {
  issuer: "https://accounts.google.com",
  authorization: "https://accounts.google.com/o/oauth2/v2/auth",
  token: "https://oauth2.googleapis.com/token",
  api: "https://www.googleapis.com/oauth2/v3/certs",
};
