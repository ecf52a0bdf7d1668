import { createHash, createSign, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { OAuthEndpoints } from "../../../src/pages/admin/oauth-endpoints.js";
import { type HttpHost, startHttpHost } from "../../support/http-host.js";

export const CLIENT: { readonly clientId: string; readonly clientSecret: string } = {
  clientId: "our-client",
  clientSecret: "our-secret",
};

/** A code that was given out, and what it was given out for. */
interface Grant {
  readonly provider: "github" | "google";
  readonly challenge: string;
  readonly redirectUri: string;
  readonly nonce: string | null;
}

/** What GitHub and Google answer at the addresses that we ask, on one local server. Tests change what is public. */
export class OAuthStub {
  /** What `GET /user` and `GET /user/emails` of GitHub's API answer. */
  githubUser: unknown = null;
  githubEmails: unknown = [];
  /** Put over what stands in Google's id token. */
  googleClaims: Record<string, unknown> = {};
  /** Changes the signed id token. */
  tamper: (jwt: string) => string = (jwt) => jwt;
  readonly host: HttpHost;
  readonly #grants = new Map<string, Grant>();
  readonly #accessTokens = new Set<string>();
  readonly #keys = generateKeyPairSync("rsa", { modulusLength: 2048 });

  private constructor(listen: (handler: (request: IncomingMessage, response: ServerResponse) => void) => HttpHost) {
    this.host = listen((request, response) => {
      this.#handle(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  static async start(): Promise<OAuthStub> {
    let handler: (request: IncomingMessage, response: ServerResponse) => void = () => {};
    const host = await startHttpHost((request, response) => handler(request, response));
    return new OAuthStub((own) => {
      handler = own;
      return host;
    });
  }

  get endpoints(): { readonly github: OAuthEndpoints; readonly google: OAuthEndpoints } {
    const { origin } = this.host;
    return {
      github: {
        issuer: `${origin}/github`,
        authorization: `${origin}/github/authorize`,
        token: `${origin}/github/token`,
        api: `${origin}/github/api`,
      },
      google: {
        issuer: `${origin}/google`,
        authorization: `${origin}/google/authorize`,
        token: `${origin}/google/token`,
        api: `${origin}/google/certs`,
      },
    };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", this.host.origin);
    const provider = url.pathname.startsWith("/google/") ? "google" : "github";
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
    if (url.pathname.endsWith("/authorize")) return this.#authorize(provider, url.searchParams, response);
    if (url.pathname.endsWith("/token")) {
      let text = "";
      for await (const chunk of request) text += String(chunk);
      const answer = this.#exchange(provider, new URLSearchParams(text));
      return void json(provider === "google" && "error" in answer ? 400 : 200, answer);
    }
    if (url.pathname === "/google/certs") return void json(200, { keys: [jwk(this.#keys.publicKey)] });
    const [, token = ""] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? [];
    if (!this.#accessTokens.has(token) || request.headers["user-agent"] !== "starfish-replica")
      return void json(401, { message: "Bad credentials" });
    if (url.pathname === "/github/api/user") return void json(200, this.githubUser);
    if (url.pathname === "/github/api/user/emails") return void json(200, this.githubEmails);
    json(404, { message: "Not Found" });
  }

  /** The user says yes at once. */
  #authorize(provider: "github" | "google", query: URLSearchParams, response: ServerResponse): void {
    const value = (name: string): string => query.get(name) ?? "";
    const isWhole =
      value("client_id") === CLIENT.clientId &&
      value("response_type") === "code" &&
      value("code_challenge_method") === "S256" &&
      value("scope") === (provider === "github" ? "read:user user:email" : "openid email");
    if (!isWhole || value("state") === "" || value("code_challenge") === "") return void response.writeHead(400).end();
    const code = provider === "google" ? `4/0A${randomUUID()}` : randomUUID().replaceAll("-", "").slice(0, 20);
    const redirectUri = value("redirect_uri");
    this.#grants.set(code, { provider, challenge: value("code_challenge"), redirectUri, nonce: query.get("nonce") });
    const back = new URL(redirectUri);
    back.search = new URLSearchParams({ code, state: value("state") }).toString();
    response.writeHead(302, { location: back.href }).end();
  }

  #exchange(provider: "github" | "google", form: URLSearchParams): Record<string, unknown> {
    const spent = {
      error: provider === "github" ? "bad_verification_code" : "invalid_grant",
      error_description: "spent",
    };
    if (form.get("client_id") !== CLIENT.clientId || form.get("client_secret") !== CLIENT.clientSecret)
      return { error: provider === "github" ? "incorrect_client_credentials" : "invalid_client" };
    const code = form.get("code") ?? "";
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (grant?.provider !== provider || grant.challenge !== challenge || grant.redirectUri !== form.get("redirect_uri"))
      return spent;
    const accessToken = `access-${randomUUID()}`;
    this.#accessTokens.add(accessToken);
    const granted = { access_token: accessToken, token_type: "bearer", scope: "user:email,read:user" };
    return provider === "github" ? granted : { ...granted, expires_in: 3_599, id_token: this.#idToken(grant.nonce) };
  }

  #idToken(nonce: string | null): string {
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: this.endpoints.google.issuer,
      aud: CLIENT.clientId,
      email_verified: true,
      iat: now,
      exp: now + 3_600,
      nonce,
      ...this.googleClaims,
    };
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const body = `${part({ alg: "RS256", typ: "JWT", kid: "1" })}.${part(claims)}`;
    const signature = createSign("RSA-SHA256").update(body).sign(this.#keys.privateKey, "base64url");
    return this.tamper(`${body}.${signature}`);
  }
}

function jwk(key: KeyObject): object {
  return { ...key.export({ format: "jwk" }), kid: "1", alg: "RS256", use: "sig" };
}
