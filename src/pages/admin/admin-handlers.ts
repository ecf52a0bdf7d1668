import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** The admin service over HTTP, for two kinds of hosts. */
export interface AdminHandlers {
  /** Connect and gRPC-Web. `incoming` is the request as the host's socket has it, where there is one. */
  fetch(request: Request, incoming?: IncomingMessage): Promise<Response>;
  /** These and gRPC, which needs trailers. Never throws. */
  node(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void;
}

/** Loads what speaks the protocols, with the first call: whoever only wants a client does not need it. */
export type LoadAdminHandlers = () => Promise<AdminHandlers>;
