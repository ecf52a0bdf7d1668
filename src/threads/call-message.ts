import type { PackedError } from "./packed-error.js";

/** From the caller to the thread or process that serves. */
export type CallMessage =
  | {
      readonly kind: "call";
      readonly id: number;
      readonly method: string;
      readonly args: readonly unknown[];
      /** The method takes an `AbortSignal` as its last argument. */
      readonly abortable: boolean;
    }
  | { readonly kind: "abort"; readonly id: number; readonly reason: PackedError };

/** From the thread or process that serves to the caller. */
export type AnswerMessage =
  | { readonly kind: "result"; readonly id: number; readonly value: unknown }
  /** `aborted`: the error is the reason of the abort and no other. */
  | { readonly kind: "failure"; readonly id: number; readonly error: PackedError; readonly aborted: boolean }
  | { readonly kind: "event"; readonly value: unknown };
