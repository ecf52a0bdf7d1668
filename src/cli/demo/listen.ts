import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";

/** An app that is being served on 127.0.0.1. */
export interface Listening {
  readonly origin: string;
  readonly port: number;
  /** Closes the port and every connection. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Serves an app on 127.0.0.1; port 0 is any free one.
 * @param whenTaken what to do about a port that somebody else has
 * @throws Error that says what to do about a port that cannot be had
 */
export async function listen(app: Hono, port: number, whenTaken: string): Promise<Listening> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new Error(listenProblem(port, error, whenTaken), { cause: error });
  });
  const { port: actual } = server.address() as AddressInfo;
  let closed: Promise<unknown> | undefined;
  return {
    origin: `http://127.0.0.1:${actual}`,
    port: actual,
    async stop() {
      if (closed === undefined) {
        closed = once(server, "close");
        server.close();
        server.closeAllConnections();
      }
      await closed;
      // One turn for the sockets to close, and one for clients in this process to hear of it: they would try the connection they had.
      await setImmediate();
      await setImmediate();
    },
  };
}

function listenProblem(port: number, { code, message }: NodeJS.ErrnoException, whenTaken: string): string {
  if (code === "EADDRINUSE") return `port ${port} is taken: ${whenTaken}`;
  if (code === "EACCES") return `port ${port} is not ours to take: choose a --port from 1024 on, or leave it out`;
  return `cannot listen on port ${port}: ${message}`;
}
