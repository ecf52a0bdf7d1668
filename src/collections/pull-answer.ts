import { ReplicaError } from "../errors.js";
import { describeUrl } from "../http/describe-url.js";
import type { DocumentContent } from "../modes/document-content.js";
import { sanitise } from "../modes/sanitise.js";
import { parseAuthorProof } from "../protocol/author-proof.js";
import { isDocumentHash } from "../protocol/document-hash.js";
import { isJsonObject, type JsonObject } from "../protocol/json-object.js";
import type { HttpAnswer } from "./transport.js";

/** A document of the primary, checked and sanitised. */
export interface PulledDocument extends DocumentContent {
  /** The data as received: its own hash is not `hash` where the primary left fields out for us. */
  readonly received: JsonObject;
  /** The primary's clock when it read the document, Unix milliseconds; 0 where it did not say. */
  readonly timestamp: number;
}

/**
 * Reads the body of a pull that was answered 200. `null`: the primary has no document, or an expired or corrupt one; it does not say
 * which.
 * @throws ANSWER_INVALID
 */
export function parsePullAnswer(answer: HttpAnswer, url: string): PulledDocument | null {
  const refuse = (what: string): ReplicaError =>
    new ReplicaError("ANSWER_INVALID", `${describeUrl(url)} answered with ${what}`, {
      status: answer.status,
      retryable: true,
      hint: "Check that `url` and `pullPath` name a collection of a Starfish server.",
    });
  const body = parseJson(answer);
  if (body === undefined) throw refuse(`${answer.header("content-type") ?? "no content type"} that is not whole JSON`);
  if (!isJsonObject(body)) throw refuse("JSON that is not an object");
  const { data, hash, timestamp } = body;
  if (typeof hash !== "string") throw refuse("a document without `hash`");
  if (hash === "") return null;
  if (!isDocumentHash(hash)) throw refuse("a `hash` that is not one");
  if (!isJsonObject(data)) throw refuse("`data` that is not an object");
  const proof = parseAuthorProof(body);
  if (proof === undefined) throw refuse("half an author's proof");
  try {
    const clean = sanitise(data);
    const time = typeof timestamp === "number" && Number.isFinite(timestamp) ? timestamp : 0;
    return { data: clean, received: data, hash, proof: clean === data ? proof : null, timestamp: time };
  } catch (error) {
    if (error instanceof RangeError) throw refuse(`a document ${error.message}`);
    throw error;
  }
}

/** The parsed body, or `undefined` where it is not JSON. */
export function parseJson(answer: HttpAnswer): unknown {
  try {
    return JSON.parse(answer.body);
  } catch {
    return undefined;
  }
}
