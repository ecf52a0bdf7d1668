import { randomBytes } from "node:crypto";
import type { SessionClaims, SyncClaims } from "../../../src/pages/tokens/token-claims.js";

export const SESSION: SessionClaims = {
  purpose: "session",
  userId: "u-1",
  email: 'ärger"\\@example.com',
  orgId: "o-1",
  role: "admin",
};

export const SYNC: SyncClaims = { purpose: "sync", userId: "u-1", orgId: "o-1", databaseId: "d-1", direction: "push" };

/** A key as `openssl rand` makes them. */
export function newKey(): Uint8Array {
  return Uint8Array.from(randomBytes(32));
}
