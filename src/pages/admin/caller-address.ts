import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** Whose attempts count together, for the handlers of a call. */
export const CALLER_ADDRESS: ContextKey<string> = createContextKey("unknown", { description: "address of the caller" });
