import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import type { Hono } from "hono";

/** A page server: accounts, tokens and databases. It listens to nothing by itself. */
export interface PageServer {
  /** To mount at the root of a host: the admin service in the protocols Connect and gRPC-Web, and `/oauth/callback`. */
  readonly app: Hono;
  /** For the `upgrade` event of the host's HTTP server: WebSockets at `/sync`. Another path is answered 404. Never throws. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void;
  /** The admin service for a server of `node:http2` (or `node:http`): gRPC as well, which no fetch handler can answer. */
  grpc(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void;
  /**
   * Opens the folder, and finishes what a crash has cut short. A second call does nothing.
   * @throws `PAGE_STORE`, also where another process has the folder; `MISSING_DRIVER`, `WORKER_FAILED`; then nothing runs, and it may be called again
   */
  start(): Promise<void>;
  /** Ends the syncs under way and leaves no thread, timer, socket or open file. `start()` may follow. */
  stop(): Promise<void>;
  /** Path of what is stored of a database, a SQLite file to be opened for reading; `null` where nothing was pushed yet, or no database has this id. */
  databaseFile(databaseId: string): Promise<string | null>;
}
