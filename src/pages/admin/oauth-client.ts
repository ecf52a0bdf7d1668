import * as oauth from "oauth4webapi";
import { mapOAuthError } from "./map-oauth-error.js";
import type { OAuthEndpoints } from "./oauth-endpoints.js";

/** How long a provider may take to answer one request. */
const TIMEOUT_MS = 10_000;

export interface OAuthClientOptions {
  /** For messages, for instance `GitHub`. */
  readonly title: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the browser comes back to. */
  readonly redirectUri: string;
  readonly endpoints: OAuthEndpoints;
}

type RequestOptions = {
  [oauth.allowInsecureRequests]: boolean;
  signal: () => AbortSignal;
};

/** This server as a client of one provider: what the authorization code flow has in common everywhere. */
export class OAuthClient {
  readonly title: string;
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  /** For each request to the provider. */
  readonly requestOptions: RequestOptions;
  readonly #options: OAuthClientOptions;

  constructor(options: OAuthClientOptions) {
    const { endpoints } = options;
    this.title = options.title;
    this.#options = options;
    this.server = { issuer: endpoints.issuer, token_endpoint: endpoints.token, jwks_uri: endpoints.api };
    this.client = { client_id: options.clientId };
    this.requestOptions = {
      // Only a provider of the tests is asked without TLS.
      [oauth.allowInsecureRequests]: endpoints.token.startsWith("http://127.0.0.1:"),
      signal: () => AbortSignal.timeout(TIMEOUT_MS),
    };
  }

  async authorizationUrl(
    state: string,
    codeVerifier: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<string> {
    const url = new URL(this.#options.endpoints.authorization);
    url.search = new URLSearchParams({
      client_id: this.#options.clientId,
      redirect_uri: this.#options.redirectUri,
      response_type: "code",
      ...parameters,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: "S256",
    }).toString();
    return url.href;
  }

  /**
   * Spends a code. @param read takes what the provider answered
   * @throws `OAUTH_FAILED`
   */
  async exchange<T>(
    { state, code, codeVerifier }: { readonly state: string; readonly code: string; readonly codeVerifier: string },
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    try {
      const parameters = oauth.validateAuthResponse(
        this.server,
        this.client,
        new URLSearchParams({ state, code }),
        state,
      );
      const response = await oauth.authorizationCodeGrantRequest(
        this.server,
        this.client,
        oauth.ClientSecretPost(this.#options.clientSecret),
        parameters,
        this.#options.redirectUri,
        codeVerifier,
        this.requestOptions,
      );
      return await read(response);
    } catch (error) {
      throw mapOAuthError(error, this.title);
    }
  }
}
