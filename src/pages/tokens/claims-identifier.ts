import { randomBytes } from "node:crypto";
import type { SessionClaims, SyncClaims } from "./token-claims.js";

/** Goes up when old identifiers must not be understood any more. */
const VERSION = 1;
const NONCE_BYTES = 16;

/** The signed part of a token: JSON with its keys in one order, which names its version and purpose, and a nonce that makes every token another. */
export function encodeClaims(claims: SessionClaims | SyncClaims): Uint8Array {
  return Buffer.from(toText(claims, randomBytes(NONCE_BYTES).toString("base64url")));
}

/** The claims again. @returns `null` for anything that `encodeClaims` does not write, to the byte */
export function decodeClaims(identifier: Uint8Array): SessionClaims | SyncClaims | null {
  const text = Buffer.from(identifier).toString();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null) return null;
  const { v: _, ...fields } = parsed as Readonly<Record<string, string>>;
  if (Object.values(fields).some((value) => typeof value !== "string")) return null;
  const { nonce = "" } = fields;
  const claims = toClaims(fields);
  if (claims === null || !/^[\w-]{22}$/.test(nonce)) return null;
  // Its version too.
  return toText(claims, nonce) === text ? claims : null;
}

function toText(claims: SessionClaims | SyncClaims, nonce: string): string {
  const { purpose, userId, orgId } = claims;
  return JSON.stringify(
    claims.purpose === "session"
      ? { v: VERSION, purpose, userId, orgId, email: claims.email, role: claims.role, nonce }
      : { v: VERSION, purpose, userId, orgId, databaseId: claims.databaseId, direction: claims.direction, nonce },
  );
}

function toClaims(fields: Readonly<Record<string, string>>): SessionClaims | SyncClaims | null {
  const { purpose, userId = "", orgId = "", email = "", role, databaseId = "", direction } = fields;
  if (purpose === "session" && (role === "admin" || role === "member")) return { purpose, userId, email, orgId, role };
  if (purpose === "sync" && (direction === "push" || direction === "pull"))
    return { purpose, userId, orgId, databaseId, direction };
  return null;
}
