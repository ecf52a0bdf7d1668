import { ReplicaError, type ReplicaErrorOptions } from "../errors.js";
import { describeUrl } from "../http/describe-url.js";
import { isTemporary } from "../http/temporary-status.js";
import { type AuthorProof, authorFields } from "../protocol/author-proof.js";
import { isJsonObject } from "../protocol/json-object.js";
import type { Channel, SyncOutcome } from "../scheduler/channel.js";
import type { SyncContext } from "../scheduler/sync-context.js";
import type { MergedDocument } from "./merged-document.js";
import type { Outgoing, PendingWrites } from "./pending-writes.js";
import type { PrimaryClient, PushAnswer } from "./primary-client.js";
import { acceptedHash, verifyPushAnswer } from "./push-answer.js";
import { wasNeverSent } from "./transport-errors.js";

export interface OutboxChannelOptions {
  readonly document: MergedDocument;
  readonly pending: PendingWrites;
  readonly primary: PrimaryClient;
  readonly pushUrl: string;
  /** Whether the primary takes this proof from us. It refuses any but the presenter's. */
  readonly takesProof: (proof: AuthorProof) => boolean;
  /** Asks for a pull: now, or unless the last one failed and its back-off is not over. */
  readonly pull: (when: "now" | "unless_failing") => void;
  /** Told of a write that became a dead letter. */
  readonly onDeadLetter: (error: ReplicaError) => void;
}

/** Answers 409 to what the primary itself says it holds, after which the pause between tries grows. */
const QUICK_CONFLICTS = 3;

/** The same where each 409 is followed by another document: other writers being faster, or primaries that disagree. */
const QUICK_DEFEATS = 10;

/** Nothing is left to do here. */
const DONE: SyncOutcome = { changed: false, items: 0, bytes: 0 };

/** Something is to be sent and was not, so nothing is known of how sending goes. */
const WAITING: SyncOutcome = { ...DONE, idle: true };

/** Sends what clients wrote here to the primary. One push at a time; what was written meanwhile goes with the next. */
export class OutboxChannel implements Channel {
  readonly name: string;
  readonly work = "push" as const;
  readonly #options: OutboxChannelOptions;
  #proofsDropped = 0;
  #proofsRefused = false;
  #unreached = false;
  /** Pushes in a row after which the primary did not hold what was sent. */
  #defeats = 0;

  constructor(options: OutboxChannelOptions) {
    this.name = options.document.name;
    this.#options = options;
  }

  /** Documents sent without their author's proof, which the primary would not have taken from us. */
  get proofsDropped(): number {
    return this.#proofsDropped;
  }

  /** The last push did not get through to the primary: once a pull does, there is no reason to wait. */
  get unreached(): boolean {
    return this.#unreached;
  }

  async sync({ signal }: SyncContext): Promise<SyncOutcome> {
    const { pending, document, pull } = this.#options;
    const next = await pending.next();
    signal.throwIfAborted();
    if (next === null) return DONE;
    if (next === "look") {
      // A mode that pulls nothing by itself would not look otherwise, and the next run would be told to look again.
      document.allowPull();
      pull("unless_failing");
      return WAITING;
    }
    return await document.inFlight.during(next.hash, () => this.#send(next, signal));
  }

  async #send(outgoing: Outgoing, signal: AbortSignal, proofRefused = false): Promise<SyncOutcome> {
    const { pending, document, primary, pushUrl } = this.#options;
    const proof = this.#proofFor(outgoing);
    const { data, baseHash } = outgoing;
    const body = JSON.stringify({ data, baseHash, ...authorFields(proof) });
    let answer: PushAnswer;
    try {
      answer = verifyPushAnswer(await primary.push(pushUrl, body, signal), pushUrl);
    } catch (error) {
      this.#unreached = wasNeverSent(error);
      if (this.#unreached) await pending.reject(outgoing);
      else document.wantPull();
      throw error;
    }
    this.#unreached = false;
    const hash = acceptedHash(answer);
    if (hash !== null) {
      const more = await pending.confirm(outgoing, hash);
      // It was the proof, then, that the primary would not take from us.
      this.#proofsRefused ||= proofRefused;
      if (proofRefused || (outgoing.proof && !proof)) this.#proofsDropped += 1;
      this.#defeats = hash === outgoing.hash ? 0 : this.#defeats + 1;
      if (this.#defeats > QUICK_CONFLICTS) throw altered(pushUrl);
      return { changed: true, items: 1, bytes: Buffer.byteLength(body), more };
    }
    if (answer.status === 403 && proof) return await this.#send({ ...outgoing, proof: null }, signal, true);
    return await this.#refused(outgoing, answer);
  }

  async #refused(outgoing: Outgoing, answer: PushAnswer): Promise<SyncOutcome> {
    const { pending, document, pushUrl, pull } = this.#options;
    const { status, retryAfterMs } = answer;
    if (status === 409) {
      await pending.reject(outgoing, true);
      document.wantPull();
      this.#defeats += 1;
      if (pending.conflicts > QUICK_CONFLICTS || this.#defeats > QUICK_DEFEATS)
        throw refusal(pushUrl, answer, { retryable: true });
      pull("now");
      return WAITING;
    }
    if (status === 401 || isTemporary(status)) {
      // A gateway may say so after the primary has stored it.
      if (status >= 500 || status === 408) document.wantPull();
      else await pending.reject(outgoing);
      throw refusal(pushUrl, answer, { retryable: true, ...(retryAfterMs === null ? {} : { retryAfterMs }) });
    }
    const error = refusal(pushUrl, answer, { hint: "Mend the cause and retry the dead letter, or drop it." });
    await pending.bury(outgoing, { code: error.code, status, message: error.message });
    this.#options.onDeadLetter(error);
    return DONE;
  }

  #proofFor({ proof }: Outgoing): AuthorProof | null {
    return proof && !this.#proofsRefused && this.#options.takesProof(proof) ? proof : null;
  }
}

function altered(url: string): ReplicaError {
  return new ReplicaError("ANSWER_INVALID", `${describeUrl(url)} accepts pushes and stores something else`, {
    retryable: true,
    hint: "Something at the primary changes documents as they come in: let it keep them as they are, or use push_through.",
  });
}

function refusal(url: string, { status, body }: PushAnswer, options: ReplicaErrorOptions): ReplicaError {
  const said = isJsonObject(body) && typeof body.error === "string" ? `: ${body.error.slice(0, 200)}` : "";
  const code = isTemporary(status) ? "PRIMARY_UNAVAILABLE" : "PRIMARY_REFUSED";
  return new ReplicaError(code, `${describeUrl(url)} answered ${status} to a push${said}`, { status, ...options });
}
