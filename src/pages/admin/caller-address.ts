import type { IncomingMessage } from "node:http";
import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** Whose attempts count together, for the handlers of a call. */
export const CALLER_ADDRESS: ContextKey<string> = createContextKey("unknown", { description: "address of the caller" });

/** The address of the socket: `PageServerOptions.clientAddress` where none is given. Callers of a host that shows no socket count as one. */
export function socketAddress(_request: Request, incoming?: IncomingMessage): string {
  return incoming?.socket?.remoteAddress ?? "unknown";
}
