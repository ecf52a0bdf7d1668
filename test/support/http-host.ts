import { once } from "node:events";
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { atEnd } from "./at-end.js";
import { realDelay } from "./real-time.js";
import { matchesRequest, type RequestFilter } from "./request-filter.js";
import { type LoggedRequest, logRequest } from "./request-log.js";
import { type Deferred, deferred } from "./wait.js";

interface FailOptions {
  /** Fail so many requests, then go back to normal. Default: until told otherwise. */
  readonly times?: number;
  /** Fail only these. Default: all. */
  readonly when?: RequestFilter;
  /** Default: a JSON error. */
  readonly body?: string;
}

/** A real HTTP server on 127.0.0.1 with a request log and a switch for faults in front of its handler. */
export interface HttpHost {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  readonly port: number;
  /** Every request since the start, the failed ones too, in order of arrival. */
  readonly requests: LoggedRequest[];
  /** TCP connections: since the start, now, and the most at one time. */
  readonly connections: { total: number; open: number; peak: number };
  /** How many requests of the log the filter means; all of them without one. */
  count(filter?: RequestFilter): number;
  /** Delays every request from now on before it is handled. 0 switches it off. */
  setDelayMs(ms: number): void;
  /** Answers in place of the handler from now on; `null` ends that. */
  failWith(status: number | null, headers?: OutgoingHttpHeaders, options?: FailOptions): void;
  /** Holds requests, those that arrive from now on; connections are accepted. */
  pause(): void;
  /** Lets the held requests go on. */
  resume(): void;
  /** Closes the port and every connection, idle or not, and resolves when all is closed. Done by itself when the test ends. */
  stop(): Promise<void>;
}

/** Handles one request. `entry` is its line in the log. */
export type HttpListener = (request: IncomingMessage, response: ServerResponse, entry: LoggedRequest) => unknown;

/** Starts a {@link HttpHost} on a free port, or on `port`, for a server that comes back where it was. */
export async function startHttpHost(listener: HttpListener, port = 0): Promise<HttpHost> {
  const requests: LoggedRequest[] = [];
  const sockets = new Set<Socket>();
  const connections = { total: 0, open: 0, peak: 0 };
  let delayMs = 0;
  let gate: Deferred<void> | undefined;
  let failure: { status: number; headers: OutgoingHttpHeaders; options: FailOptions; left: number } | undefined;
  let stopped: Promise<void> | undefined;
  let lastLeft: Deferred<void> | undefined;

  const takeFailure = (entry: LoggedRequest) => {
    if (failure === undefined || failure.left < 1) return undefined;
    if (failure.options.when !== undefined && !matchesRequest(entry, failure.options.when)) return undefined;
    failure.left -= 1;
    return failure;
  };

  const hold = async (response: ServerResponse) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const left = new Promise<void>((resolve) => gone.signal.addEventListener("abort", () => resolve()));
    while (gate !== undefined && !gone.signal.aborted) await Promise.race([gate.promise, left]);
    if (delayMs > 0) await realDelay(delayMs, gone.signal);
  };

  const handle = (request: IncomingMessage, response: ServerResponse, entry: LoggedRequest) => {
    if (response.destroyed) return;
    const fault = takeFailure(entry);
    if (fault === undefined) return void listener(request, response, entry);
    request.resume();
    response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
    response.end(fault.options.body ?? JSON.stringify({ error: `fault injected by the test: ${fault.status}` }));
  };

  const server = createServer((request, response) => {
    const entry = logRequest(request, response);
    requests.push(entry);
    if (gate === undefined && delayMs === 0) return handle(request, response, entry);
    void hold(response).then(() => handle(request, response, entry));
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    connections.total += 1;
    connections.open += 1;
    connections.peak = Math.max(connections.peak, connections.open);
    socket.once("close", () => {
      sockets.delete(socket);
      connections.open -= 1;
      if (sockets.size === 0) lastLeft?.resolve();
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;

  const host: HttpHost = {
    origin: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    connections,
    count: (filter) =>
      filter === undefined ? requests.length : requests.filter((entry) => matchesRequest(entry, filter)).length,
    setDelayMs(ms) {
      delayMs = ms;
    },
    failWith(status, headers = {}, options = {}) {
      failure = status === null ? undefined : { status, headers, options, left: options.times ?? Infinity };
    },
    pause() {
      gate ??= deferred();
    },
    resume() {
      gate?.resolve();
      gate = undefined;
    },
    stop() {
      stopped ??= (async () => {
        const closed = once(server, "close");
        server.close();
        // The server says `close` before the last socket has told us.
        if (sockets.size > 0) lastLeft = deferred();
        for (const socket of sockets) socket.destroy();
        await Promise.all([closed, lastLeft?.promise]);
      })();
      return stopped;
    },
  };
  atEnd(host.stop);
  return host;
}
