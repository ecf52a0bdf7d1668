import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";

/** An app that is being served on 127.0.0.1. */
export interface Listening {
  readonly origin: string;
  /** Closes the port and every connection. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Serves an app on 127.0.0.1; port 0 is any free one.
 * @throws Error that says what to do about a port that cannot be had
 */
export async function listen(app: Hono, port = 0): Promise<Listening> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new Error(listenProblem(port, error), { cause: error });
  });
  let closed: Promise<unknown> | undefined;
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      if (closed === undefined) {
        closed = once(server, "close");
        server.close();
        server.closeAllConnections();
      }
      await closed;
    },
  };
}

function listenProblem(port: number, { code, message }: NodeJS.ErrnoException): string {
  if (code === "EADDRINUSE") return `port ${port} is taken: choose another --port, or leave it out for a free one`;
  if (code === "EACCES") return `port ${port} is not ours to take: choose a --port from 1024 on, or leave it out`;
  return `cannot listen on port ${port}: ${message}`;
}
