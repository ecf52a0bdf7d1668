import type { Dispatcher } from "undici";
import { readDocument, readErrorText, tooLarge } from "./body-reader.js";
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
  readonly close: () => Promise<void>;
}

/** Requests through undici, one keep-alive pool per origin. undici begins to load when the transport is made. */
export function createUndiciTransport({ connections = 8 }: UndiciTransportOptions = {}): Transport {
  let client: Promise<Client> | null = loadClient(connections);
  // Whoever sends first is told.
  client.catch(() => {});

  async function exchange(
    { request: send, agent }: Client,
    request: HttpRequest,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { url, method, maxBytes } = request;
    const answer = await send(url, {
      dispatcher: agent,
      method,
      headers: { "accept-encoding": ACCEPTED_ENCODINGS, ...request.headers },
      body: request.body ?? null,
      signal,
      // Our own deadline covers both.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const header = (name: string): string | null => [answer.headers[name.toLowerCase()]].flat()[0] ?? null;
    try {
      // The headers of a 304 may speak of the document that it does not send.
      if (answer.statusCode === 304) {
        await answer.body.dump();
        return { status: 304, header, body: "", bytes: 0 };
      }
      const success = answer.statusCode >= 200 && answer.statusCode < 300;
      if (success && Number(header("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes, url);
      const body = decode(answer.body, header("content-encoding"), url);
      const { text, bytes } = success ? await readDocument(body, maxBytes, url) : await readErrorText(body);
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
      await (await closing)?.close();
    },
  };
}

async function loadClient(connections: number): Promise<Client> {
  const { Agent, buildConnector, request } = await import("undici");
  // undici's `destroy` leaves sockets alone that are still connecting: they would keep the process alive.
  const connecting = new Set<Destroyable>();
  const connect = buildConnector({});
  const agent = new Agent({
    connections,
    connect(options, callback) {
      // The connector returns its socket; its type does not say so.
      const socket = connect(options, callback) as unknown as Destroyable;
      connecting.add(socket);
      socket.once("close", () => connecting.delete(socket));
    },
  });
  const close = async (): Promise<void> => {
    await agent.destroy();
    for (const socket of connecting) socket.destroy();
  };
  return { agent, request, close };
}

type Destroyable = import("node:net").Socket;
