import { ReplicaError } from "../errors.js";
import { describeUrl } from "../http/describe-url.js";
import { isDocumentHash } from "../protocol/document-hash.js";
import { isJsonObject } from "../protocol/json-object.js";
import type { PushAnswer } from "./primary-client.js";

/** The hash of an accepted push, or `null`. */
export function acceptedHash({ status, body }: PushAnswer): string | null {
  return status === 200 && isJsonObject(body) && isDocumentHash(body.hash) ? body.hash : null;
}

/**
 * An answer to a push is an acceptance with a hash, or a refusal. Anything else says nothing about what became of it.
 * @throws ANSWER_INVALID
 */
export function verifyPushAnswer(answer: PushAnswer, url: string): PushAnswer {
  if (acceptedHash(answer) !== null || (answer.status >= 400 && answer.status < 600)) return answer;
  throw new ReplicaError(
    "ANSWER_INVALID",
    `${describeUrl(url)} answered a push with ${answer.status}, but without a hash`,
    {
      status: answer.status,
      retryable: true,
      hint: "Check that `url` and `pushPath` name a collection of a Starfish server.",
    },
  );
}
