import type { AnswerMessage, CallMessage } from "./call-message.js";
import { packError, unpackError } from "./packed-error.js";

/** Takes arguments and, where the caller gave one, an `AbortSignal` as the last. */
export type ServedMethod = (...args: never[]) => unknown;

/** A result whose buffers are handed over to the caller's thread instead of copied: they cannot be used here any more. */
export class Transferred {
  readonly value: unknown;
  readonly buffers: readonly ArrayBuffer[];

  constructor(value: unknown, buffers: readonly ArrayBuffer[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

/**
 * Answers calls with these methods; nothing else can be called. Returns what has to be given every message of the caller. A result that
 * cannot be sent is a failure of its call.
 */
export function serveCalls(
  methods: ReadonlyMap<string, ServedMethod>,
  post: (message: AnswerMessage, buffers?: readonly ArrayBuffer[]) => void,
): (message: CallMessage) => void {
  const aborts = new Map<number, AbortController>();

  const answer = async (message: CallMessage & { kind: "call" }) => {
    const { id } = message;
    const abort = new AbortController();
    if (message.abortable) aborts.set(id, abort);
    try {
      const method = methods.get(message.method);
      if (method === undefined) throw new TypeError(`There is no method ${message.method}`);
      const args = message.abortable ? [...message.args, abort.signal] : message.args;
      const value = await method(...(args as never[]));
      if (value instanceof Transferred) post({ kind: "result", id, value: value.value }, value.buffers);
      else post({ kind: "result", id, value });
    } catch (error) {
      const aborted = abort.signal.aborted && error === abort.signal.reason;
      post({ kind: "failure", id, error: packError(error, "WORKER_FAILED", `${message.method} failed`), aborted });
    } finally {
      aborts.delete(id);
    }
  };

  return (message) => {
    if (message.kind === "call") void answer(message);
    else aborts.get(message.id)?.abort(unpackError(message.reason));
  };
}
