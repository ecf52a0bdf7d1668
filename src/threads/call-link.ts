import { ReplicaError } from "../errors.js";
import type { AnswerMessage, CallMessage } from "./call-message.js";
import { packError, unpackError } from "./packed-error.js";

/** A thread or process that answers calls. */
export interface Peer {
  /** @throws whatever says that the message cannot be sent. */
  post(message: CallMessage): void;
  /** Whether it keeps this process from ending. */
  hold(held: boolean): void;
}

interface PendingCall {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** What an abort of this call rejects with. */
  reason(): unknown;
}

/** How long an aborted call waits for the peer to end it in good order, before it is rejected all the same. */
const ABORT_GRACE_MS = 10_000;

/**
 * Calls to one {@link Peer}, many at a time. Whoever starts the peer hands its messages to `receive` and its end to `fail`. While no call
 * is under way the peer does not keep the process alive.
 */
export class CallLink {
  readonly #peer: Peer;
  readonly #onEvent: (value: unknown) => void;
  readonly #abortGraceMs: number;
  readonly #pending = new Map<number, PendingCall>();
  #nextId = 1;
  #failure: ReplicaError | undefined;

  constructor(peer: Peer, onEvent: (value: unknown) => void = () => {}, abortGraceMs: number = ABORT_GRACE_MS) {
    this.#peer = peer;
    this.#onEvent = onEvent;
    this.#abortGraceMs = abortGraceMs;
    peer.hold(false);
  }

  /**
   * Resolves and rejects as the peer's method does. An abort is passed on and the method's own answer to it awaited, but not for ever: a
   * peer that is busy for longer is left to it, and the call rejects with `signal.reason`.
   */
  call(method: string, args: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      let grace: NodeJS.Timeout | undefined;
      const abort = () => {
        this.#peer.post({ kind: "abort", id, reason: packError(signal?.reason, "STOPPED", "Cut short") });
        grace = setTimeout(() => this.#take(id)?.reject(signal?.reason), this.#abortGraceMs);
      };
      const settle = (how: (value: unknown) => void) => (value: unknown) => {
        clearTimeout(grace);
        signal?.removeEventListener("abort", abort);
        how(value);
      };
      try {
        this.#peer.post({ kind: "call", id, method, args, abortable: signal !== undefined });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        reject(
          new ReplicaError("WORKER_FAILED", `${method} cannot be sent to its thread: ${reason}`, { cause: error }),
        );
        return;
      }
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject), reason: () => signal?.reason });
      if (this.#pending.size === 1) this.#peer.hold(true);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** What `fail` was given. */
  get failure(): ReplicaError | undefined {
    return this.#failure;
  }

  /** What comes after `fail` is too late. */
  receive(message: AnswerMessage): void {
    if (this.#failure !== undefined) return;
    if (message.kind === "event") {
      this.#onEvent(message.value);
      return;
    }
    const call = this.#take(message.id);
    if (message.kind === "result") call?.resolve(message.value);
    else call?.reject(message.aborted ? call.reason() : unpackError(message.error));
  }

  /** Rejects what is pending, and every call from now on. The first reason counts. */
  fail(error: ReplicaError): void {
    this.#failure ??= error;
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(this.#failure);
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    this.#pending.delete(id);
    if (call !== undefined && this.#pending.size === 0) this.#peer.hold(false);
    return call;
  }
}
