import type { IncomingMessage } from "node:http";
import { ReplicaError } from "../../errors.js";
import type { SyncClaims } from "../tokens/token-claims.js";
import type { SyncEndpointParts } from "./sync-endpoint.js";
import type { UpgradeAnswer } from "./upgrade-answer.js";

/** Where syncs begin. WIRE.md, section 2. */
const SYNC_PATH = "/sync";

/** What the request is told instead of a sync, or the claims of its token: nothing but the request and the clock is looked at. */
export function readSyncRequest(
  tokens: SyncEndpointParts["tokens"],
  request: IncomingMessage,
): SyncClaims | UpgradeAnswer {
  if (request.url?.split("?", 1)[0] !== SYNC_PATH) {
    return { status: 404, error: `Nothing is here: page sync is at ${SYNC_PATH}`, code: "SYNC_REFUSED" };
  }
  if (request.headers.upgrade?.toLowerCase() !== "websocket") {
    return {
      status: 426,
      error: "Page sync is a WebSocket: connect with a client of page sync",
      code: "SYNC_REFUSED",
      headers: { upgrade: "websocket" },
    };
  }
  const token = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? "")?.[1];
  if (token === undefined) {
    return unauthorised("No sync token: send it as `Authorization: Bearer TOKEN`", "");
  }
  try {
    return tokens.verify(token, "sync");
  } catch (error) {
    if (!(error instanceof ReplicaError) || error.code !== "INVALID_TOKEN") throw error;
    return unauthorised(withHint(error), ', error="invalid_token"');
  }
}

/** Whether the token's user and database are still there: `null`, or what to answer. @throws what the accounts throw */
export async function checkSyncClaims(
  accounts: SyncEndpointParts["accounts"],
  claims: SyncClaims,
): Promise<UpgradeAnswer | null> {
  if ((await accounts.account(claims.userId)) === null) {
    return unauthorised("The token is for a user that is not there any more", ', error="invalid_token"');
  }
  try {
    await accounts.database(claims.orgId, claims.databaseId);
    return null;
  } catch (error) {
    if (!(error instanceof ReplicaError) || error.code !== "UNKNOWN_DATABASE") throw error;
    return { status: 404, error: withHint(error), code: "UNKNOWN_DATABASE" };
  }
}

/** https://www.rfc-editor.org/rfc/rfc6750#section-3 */
function unauthorised(error: string, detail: string): UpgradeAnswer {
  return {
    status: 401,
    error,
    code: "INVALID_TOKEN",
    headers: { "www-authenticate": `Bearer realm="starfish-replica"${detail}` },
  };
}

function withHint(error: ReplicaError): string {
  return error.hint === undefined ? error.message : `${error.message}: ${error.hint}`;
}
