import { ReplicaError } from "../../errors.js";
import type { ErrorFrame, HelloReplyFrame } from "../protocol/frame.js";
import { PROTOCOL_VERSION } from "../protocol/limits.js";
import type { PeerFacts, SyncBase } from "./client-session.js";
import { cleanWords } from "./session-errors.js";

/** What original clients and servers count in. */
export const PLAIN_PAGE_BYTES = 4096;

/** @throws `PAGE_PROTOCOL` for a server of another version */
export function peerFactsOf(reply: HelloReplyFrame, isPlain: boolean): PeerFacts {
  if (reply.protocolVersion !== PROTOCOL_VERSION) {
    const versions = `version ${reply.protocolVersion} of the page sync protocol, and this client version ${PROTOCOL_VERSION}`;
    throw new ReplicaError("PAGE_PROTOCOL", `The server speaks ${versions}.`);
  }
  const extension = isPlain ? null : reply.extension;
  return {
    extended: extension !== null,
    database: extension?.database ?? null,
    generation: extension?.generation ?? null,
    rootHash: extension?.rootHash ?? null,
    pageSize: reply.pageSize,
    pageCount: reply.maxPage,
  };
}

/**
 * The error that an `error` frame of the server stands for.
 * @param reason that of the close that followed it: `closeReason`
 */
export function errorOf(
  frame: ErrorFrame,
  reason: string,
  peer: PeerFacts | null,
  base: SyncBase | null,
): ReplicaError {
  const words = cleanWords(frame.message);
  if (reason === "INVALID_TOKEN") {
    return new ReplicaError("INVALID_TOKEN", words, {
      hint: "Get one for this direction: starfish-replica db token ID --direction push|pull",
    });
  }
  if (reason !== "GENERATION_CONFLICT") {
    return new ReplicaError("SYNC_REFUSED", `The page server ended the sync: ${words || "it did not say why"}`);
  }
  const from = base !== null && base.database === peer?.database ? (base.generation ?? 0) : 0;
  const origin = from === 0 ? "was never synced with this database" : `comes from generation ${from}`;
  const isKnown = peer?.generation !== null && peer?.generation !== undefined && peer.generation !== from;
  const message = isKnown ? `The file ${origin}, but the database is at generation ${peer.generation}.` : words;
  return new ReplicaError("GENERATION_CONFLICT", message, {
    hint: "Pull first, or push with --force (`force: true`) to replace what others have pushed.",
  });
}
