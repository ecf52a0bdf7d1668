import { createHash } from "node:crypto";
import * as oauth from "oauth4webapi";
import { ReplicaError } from "../../errors.js";
import type { OAuthClient } from "./oauth-client.js";
import type { OAuthProvider } from "./oauth-provider.js";

/** Login with Google by OpenID Connect: the id token says who the user is; its signature, issuer, audience, nonce and times are checked. */
export function createGoogleProvider(client: OAuthClient): OAuthProvider {
  return {
    name: "google",
    authorizationUrl: (state, codeVerifier) =>
      client.authorizationUrl(state, codeVerifier, { scope: "openid email", nonce: nonceOf(codeVerifier) }),
    identify: (state, code, codeVerifier) =>
      client.exchange({ state, code, codeVerifier }, async (response) => {
        const granted = await oauth.processAuthorizationCodeResponse(client.server, client.client, response, {
          expectedNonce: nonceOf(codeVerifier),
          requireIdToken: true,
        });
        await oauth.validateApplicationLevelSignature(client.server, response, client.requestOptions);
        const claims = oauth.getValidatedIdTokenClaims(granted);
        if (claims === undefined) throw new Error("no id token");
        if (claims.email_verified !== true || typeof claims.email !== "string") {
          throw new ReplicaError("OAUTH_FAILED", "The email of this Google account is not verified", {
            hint: "Verify it in the settings of Google, and log in again",
          });
        }
        return { provider: "google", subject: claims.sub, email: claims.email };
      }),
  };
}

/** Bound to the attempt without being one thing more to remember, and no help in guessing the verifier. */
function nonceOf(codeVerifier: string): string {
  return createHash("sha256").update(`nonce ${codeVerifier}`).digest("base64url");
}
