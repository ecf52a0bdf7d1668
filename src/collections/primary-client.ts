import { ReplicaError } from "../errors.js";
import { describeUrl } from "../http/describe-url.js";
import { parseRetryAfter } from "../http/retry-after.js";
import { isTemporary } from "../http/temporary-status.js";
import { JSON_TYPE } from "../protocol/wire.js";
import type { CollectionSettings } from "./collection-settings.js";
import { type PulledDocument, parseJson, parsePullAnswer } from "./pull-answer.js";
import { sendFollowing } from "./redirects.js";
import { withRetries } from "./retry.js";
import type { HttpAnswer, HttpRequest, Transport } from "./transport.js";

/** Answer to a conditional pull. */
export type PullResult =
  | { readonly kind: "unchanged"; readonly bytes: number }
  | { readonly kind: "missing"; readonly bytes: number }
  | { readonly kind: "document"; readonly bytes: number; readonly document: PulledDocument };

/** The primary's own answer to a push; `body` is `undefined` where it was not JSON. */
export interface PushAnswer {
  readonly status: number;
  readonly body: unknown;
  /** The primary's wish, in milliseconds; `null` for none. */
  readonly retryAfterMs: number | null;
}

/** One collection at its primary. */
export class PrimaryClient {
  readonly #settings: CollectionSettings;
  readonly #transport: Transport;

  constructor(settings: CollectionSettings, transport: Transport) {
    this.#settings = settings;
    this.#transport = transport;
  }

  /**
   * Asks for the document unless it is the one known already. Temporary failures are repeated a few times.
   * @param knownHash the primary's hash of what we have, or `null`
   * @throws any code that begins with PRIMARY_ or ANSWER_, or the signal's reason
   */
  async pull(knownHash: string | null, signal: AbortSignal): Promise<PullResult> {
    const url = this.#settings.pullUrl;
    const condition: Record<string, string> = knownHash === null ? {} : { "If-None-Match": `"${knownHash}"` };
    const headers = { ...this.#settings.headers, Accept: JSON_TYPE, ...condition };
    const answer = await withRetries(async () => {
      const answer = await this.#send({ method: "GET", url, headers, signal });
      if (answer.status !== 200 && answer.status !== 304) throw refusal(answer, url);
      return answer;
    }, signal);
    if (answer.status === 200) {
      const document = parsePullAnswer(answer, url);
      return document ? { kind: "document", bytes: answer.bytes, document } : { kind: "missing", bytes: answer.bytes };
    }
    if (knownHash !== null) return { kind: "unchanged", bytes: answer.bytes };
    throw new ReplicaError("ANSWER_INVALID", `${describeUrl(url)} answered 304 to an unconditional request`, {
      status: 304,
      hint: "A cache in between answers for the primary: let it pass /pull through.",
    });
  }

  /**
   * Sends one push once and gives back the primary's answer, whatever its status.
   * @throws PRIMARY_UNREACHABLE, PRIMARY_TIMEOUT and others where there is no answer to relay
   */
  async push(url: string, body: string, signal: AbortSignal): Promise<PushAnswer> {
    const headers = { ...this.#settings.headers, Accept: JSON_TYPE, "Content-Type": JSON_TYPE };
    const answer = await this.#send({ method: "POST", url, headers, body, signal });
    const retryAfterMs = parseRetryAfter(answer.header("retry-after"));
    return { status: answer.status, body: parseJson(answer), retryAfterMs };
  }

  #send(request: Pick<HttpRequest, "method" | "url" | "headers" | "body" | "signal">): Promise<HttpAnswer> {
    const { requestTimeoutMs: timeoutMs, maxDocumentBytes: maxBytes } = this.#settings;
    return sendFollowing((hop) => this.#transport.send(hop), { ...request, timeoutMs, maxBytes });
  }
}

/** The primary's status as an error. Its body is not quoted: it may hold what does not belong in a log. */
function refusal(answer: HttpAnswer, url: string): ReplicaError {
  const { status } = answer;
  const message = `${describeUrl(url)} answered ${status}`;
  if (!isTemporary(status)) {
    return new ReplicaError("PRIMARY_REFUSED", message, { status, hint: hintFor(status) });
  }
  const retryAfterMs = parseRetryAfter(answer.header("retry-after"));
  return new ReplicaError("PRIMARY_UNAVAILABLE", message, {
    status,
    retryable: true,
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });
}

function hintFor(status: number): string {
  if (status === 401) return "The primary does not know us: check `headers`, or the identity that signs requests.";
  if (status === 403) return "The primary knows us and refuses: check the collection's readRoles there.";
  if (status === 404) return "Check `url` and `pullPath` against the primary's routes.";
  return "Check the primary's log for this request.";
}
