import { ReplicaError, type ReplicaErrorCode } from "../../errors.js";
import type { ErrorFrame, Frame } from "../protocol/frame.js";

const MAX_MESSAGE_CHARACTERS = 500;

/** What the other end may know of what went wrong here. Other messages may name paths, or what else is nobody's business. */
const TOLD: Readonly<Record<"server" | "client", ReadonlySet<ReplicaErrorCode>>> = {
  server: new Set([
    "GENERATION_CONFLICT",
    "INTEGRITY_FAILED",
    "INVALID_TOKEN",
    "NOT_A_DATABASE",
    "PAGE_PROTOCOL",
    "QUOTA_EXCEEDED",
    "UNKNOWN_DATABASE",
  ]),
  client: new Set(["PAGE_PROTOCOL"]),
};

/** The words of a peer: one line of at most 500 characters, without what would move a terminal's cursor. */
export function cleanWords(words: string): string {
  // Cut first: what comes from outside may be long. Two characters each for those that UTF-16 writes as two.
  const clean = words.slice(0, MAX_MESSAGE_CHARACTERS * 2).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, " ");
  const characters = [...clean.trim()];
  if (characters.length <= MAX_MESSAGE_CHARACTERS) return characters.join("");
  return `${characters.slice(0, MAX_MESSAGE_CHARACTERS - 1).join("")}…`;
}

/**
 * The `error` frame that tells the other end.
 * @param who "server" or "client", for what is not said
 */
export function errorFrameFor(error: unknown, who: "server" | "client"): ErrorFrame {
  const isOurs = error instanceof ReplicaError;
  if (isOurs && error.code === "STOPPED") return { kind: "error", message: `The ${who} was stopped. Try again later.` };
  if (!isOurs || !TOLD[who].has(error.code)) return { kind: "error", message: `The ${who} failed.` };
  return { kind: "error", message: cleanWords(error.message) };
}

/** A frame that may not come now. */
export function unexpectedFrame(kind: Frame["kind"], when: string): ReplicaError {
  return new ReplicaError("PAGE_PROTOCOL", `\`${kind}\` may not come ${when}.`);
}
