import type { Dispatcher } from "undici";
import { readText, tooLarge } from "./body-reader.js";
import { ACCEPTED_ENCODINGS, decode } from "./content-encoding.js";
import { withDeadline } from "./request-deadline.js";
import type { HttpAnswer, HttpRequest, Transport } from "./transport.js";
import { mapTransportError, requestTimedOut } from "./transport-errors.js";

export interface UndiciTransportOptions {
  /** Sockets per origin. Default 8. */
  readonly connections?: number;
}

interface Client {
  readonly agent: Dispatcher;
  readonly request: typeof import("undici").request;
}

/** Requests through undici, one keep-alive pool per origin. undici loads with the first request. */
export function createUndiciTransport({ connections = 8 }: UndiciTransportOptions = {}): Transport {
  let client: Promise<Client> | null = null;

  async function exchange(
    { request: send, agent }: Client,
    request: HttpRequest,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { url, method, body, maxBytes } = request;
    const answer = await send(url, {
      dispatcher: agent,
      method,
      headers: { "accept-encoding": ACCEPTED_ENCODINGS, ...request.headers },
      body: body ?? null,
      signal,
      // Our own deadline covers both.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const header = (name: string): string | null => [answer.headers[name.toLowerCase()]].flat()[0] ?? null;
    try {
      // The headers of a 304 may speak of the document that it does not send.
      if (answer.statusCode === 304) return { status: 304, header, body: "", bytes: 0 };
      if (Number(header("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes, url);
      const { text, bytes } = await readText(decode(answer.body, header("content-encoding"), url), maxBytes, url);
      return { status: answer.statusCode, header, body: text, bytes };
    } finally {
      // After a whole body this does nothing; after a broken one it frees the socket.
      answer.body.on("error", () => {}).destroy();
    }
  }

  return {
    async send(request) {
      client ??= loadClient(connections);
      const loaded = await client;
      return await withDeadline(
        request.signal,
        request.timeoutMs,
        () => requestTimedOut(request.timeoutMs, request.url),
        async (signal) => {
          try {
            return await exchange(loaded, request, signal);
          } catch (error) {
            throw mapTransportError(error, request.url);
          }
        },
      );
    },
    async close() {
      const closing = client;
      client = null;
      await (await closing)?.agent.destroy();
    },
  };
}

async function loadClient(connections: number): Promise<Client> {
  const { Agent, request } = await import("undici");
  return { agent: new Agent({ connections }), request };
}
