/** The keys that can be used, and a sentence for each that cannot. */
export interface SessionKeys {
  readonly keys: readonly Uint8Array[];
  /** Each begins with `sessionKey`. No part of a key is in them. */
  readonly mistakes: readonly string[];
}

/** Reads keys that may come from JavaScript, a file or the environment: base64 of 32 bytes, or a list of such. */
export function parseSessionKeys(_value: unknown): SessionKeys {
  throw new Error("not yet");
}
