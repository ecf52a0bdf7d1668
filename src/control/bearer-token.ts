import { createHash, timingSafeEqual } from "node:crypto";
import { ConfigurationError } from "../errors.js";
import { RouteError, type RouteErrorCode } from "./route-error.js";

/** What the token of `Authorization: Bearer` may consist of. https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Makes the check of every request, which takes the same time whatever is sent.
 * @throws ConfigurationError for a token that cannot be sent
 */
export function createTokenCheck(token: unknown): (authorization: string | undefined) => void {
  if (typeof token !== "string" || !TOKEN.test(token)) {
    throw new ConfigurationError([
      "token must be a text of letters, digits and -._~+/ that callers send as a bearer token; " +
        `make one with: node -p "crypto.randomBytes(32).toString('base64url')"`,
    ]);
  }
  const expected = digest(token);
  return (authorization = "") => {
    const [, sent = ""] = /^Bearer +([^ ]+) *$/i.exec(authorization) ?? [];
    if (timingSafeEqual(digest(sent), expected)) return;
    throw new RouteError(
      401,
      "UNAUTHORIZED" satisfies RouteErrorCode,
      "This needs the control token: send it as `Authorization: Bearer <token>`",
      { headers: { "WWW-Authenticate": "Bearer" } },
    );
  };
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
