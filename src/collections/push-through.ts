import { setTimeout as sleep } from "node:timers/promises";
import { ReplicaError, toReplicaError } from "../errors.js";
import { documentHash } from "../protocol/canonical-json.js";
import { HASH_MISMATCH } from "../protocol/wire.js";
import type { PrimaryClient, PullResult, PushAnswer } from "./primary-client.js";
import { acceptedHash, verifyPushAnswer } from "./push-answer.js";
import { type PushBody, parsePushBody } from "./push-body.js";
import type { ReplacedDocument } from "./replaced-document.js";
import { withDeadline } from "./request-deadline.js";
import { wasNeverSent } from "./transport-errors.js";

/** What a client gets: a status and a JSON body. */
export interface ForwardedPush {
  readonly status: number;
  readonly body: unknown;
}

export interface PushThroughResult {
  readonly answer: ForwardedPush;
  /** The local copy holds what was pushed. `false` after a success: it must be pulled. */
  readonly inStep: boolean;
  /** Why there is no answer of the primary's to relay. */
  readonly error: ReplicaError | null;
}

/** How long the question "did it arrive?" may take, at most. */
const SETTLE_TIMEOUT_MS = 5_000;
const TRIES = 3;
const PAUSE_MS = 100;

/** Forwards clients' writes to the primary and takes over what it accepted. */
export class PushThrough {
  readonly #primary: PrimaryClient;
  readonly #url: string;
  readonly #document: ReplacedDocument;
  /** Hash of a document that is known to be its data's: nothing was left out of it. */
  #wholeHash: string | null = null;

  constructor(primary: PrimaryClient, url: string, document: ReplacedDocument) {
    this.#primary = primary;
    this.#url = url;
    this.#document = document;
  }

  /** Sends the body as it came and gives back the primary's own answer. Never rejects. */
  async forward(rawBody: string, signal: AbortSignal): Promise<PushThroughResult> {
    const { generation } = this.#document;
    // What the answer will need is prepared while the primary works.
    const prepared = afterThisTurn(() => parsePushBody(rawBody));
    const shown = prepared.then((push) => push !== null && this.#shows(push)).catch(() => false);
    const sending = this.#send(rawBody, prepared, signal);
    // Awaited below, once it is known what is being sent.
    sending.catch(() => {});
    const push = await prepared;
    return await this.#document.inFlight.during(push?.hash ?? null, async () => {
      try {
        const answer = await sending;
        const accepted = push !== null && acceptedHash(answer) === push.hash && (await shown);
        const inStep = accepted && (await this.#takeOver(push, generation));
        return { answer: { status: answer.status, body: answer.body ?? notJson(answer.status) }, inStep, error: null };
      } catch (error) {
        const failure = toReplicaError(error, "CHANNEL_FAILED", "forwarding a push failed");
        return { answer: failureAnswer(failure), inStep: false, error: failure };
      }
    });
  }

  /** Sends again only what did not arrive: a push whose answer was lost is looked for at the primary first. */
  async #send(rawBody: string, prepared: Promise<PushBody | null>, signal: AbortSignal): Promise<PushAnswer> {
    let mayHaveArrived = false;
    for (let tries = 1; ; tries++) {
      try {
        const answer = verifyPushAnswer(await this.#primary.push(this.#url, rawBody, signal), this.#url);
        if (!mayHaveArrived || answer.status !== 409) return answer;
        // The earlier try may have arrived late, and be what this one lost against.
        return (await this.#settle(await prepared, null, signal).catch(() => null)) ?? answer;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!(error instanceof ReplicaError && LOST.has(error.code))) throw error;
        if (!wasNeverSent(error)) {
          mayHaveArrived = true;
          const settled = await this.#settle(await prepared, error, signal);
          if (settled) return settled;
        }
        if (tries === TRIES || error.code === "PRIMARY_TIMEOUT") throw error;
        await sleep(tries * PAUSE_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  /**
   * Finds out what became of a push without an answer. `null`: the primary still holds what the push was to replace, so it did not
   * arrive. Another document than either is a lost race as far as anybody can tell, and the client merges as after every 409.
   */
  async #settle(push: PushBody | null, cause: unknown, signal: AbortSignal): Promise<PushAnswer | null> {
    if (!push) throw cause;
    const ask = (within: AbortSignal): Promise<PullResult> => this.#primary.pull(null, within);
    const result = await withDeadline(signal, SETTLE_TIMEOUT_MS, () => new Error("no answer"), ask).catch(() => {
      throw signal.aborted ? signal.reason : cause;
    });
    const held = result.kind === "document" ? result.document.hash : null;
    if (held === push.hash && result.kind === "document") {
      return { status: 200, body: { hash: held, timestamp: result.document.timestamp }, retryAfterMs: null };
    }
    return held === push.baseHash ? null : { status: 409, body: { error: HASH_MISMATCH }, retryAfterMs: null };
  }

  /**
   * The primary may hide fields from us that a client of ours may write, and what we may not read our readers must not either. Fields
   * that we have been shown under a document's own hash are not hidden; a push with a new one is pulled instead.
   */
  async #shows(push: PushBody): Promise<boolean> {
    const current = await this.#document.current();
    if (!current) return false;
    if (current.hash !== this.#wholeHash && documentHash(current.data) !== current.hash) return false;
    this.#wholeHash = current.hash;
    return Object.keys(push.data).every((field) => Object.hasOwn(current.data, field));
  }

  async #takeOver(push: PushBody, generation: number): Promise<boolean> {
    const taken = await this.#document.takeOver(push, push.baseHash, generation);
    if (taken) this.#wholeHash = push.hash;
    return taken;
  }
}

/** Begins a computation once the work of this turn, sending the request, is out. */
async function afterThisTurn<T>(work: () => T): Promise<T> {
  await new Promise((resolve) => setImmediate(resolve));
  return work();
}

/** Failures after which nobody knows whether the push arrived. */
const LOST: ReadonlySet<string> = new Set([
  "PRIMARY_UNREACHABLE",
  "PRIMARY_TIMEOUT",
  "ANSWER_TOO_LARGE",
  "ANSWER_INVALID",
]);

function notJson(status: number): { error: string } {
  return { error: `The primary answered ${status} without a JSON body` };
}

function failureAnswer(error: ReplicaError): ForwardedPush {
  if (error.code === "STOPPED") {
    return {
      status: 503,
      body: { error: "This server is shutting down: whether the primary stored the write is unknown" },
    };
  }
  if (error.code === "PRIMARY_TIMEOUT") {
    return {
      status: 504,
      body: { error: "The primary did not answer in time: whether it stored the write is unknown" },
    };
  }
  return { status: 502, body: { error: "Failed to reach primary" } };
}
