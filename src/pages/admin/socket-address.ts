import type { IncomingMessage } from "node:http";

/** The address of the socket: `PageServerOptions.clientAddress` where none is given. Callers of a host that shows no socket count as one. */
export function socketAddress(_request: Request, incoming?: IncomingMessage): string {
  return incoming?.socket?.remoteAddress ?? "unknown";
}
