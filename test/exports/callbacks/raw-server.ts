import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { atEnd } from "../../support/at-end.js";
import type { Certificate } from "./certificate.js";

/** Counts what reaches it, below HTTP. */
export interface RawServer {
  readonly port: number;
  /** Connections of TCP since the start. */
  readonly connections: () => number;
  /** All bytes that arrived, TLS's own included. */
  readonly bytes: () => number;
  /** How many of them are open. */
  readonly open: () => number;
}

export interface RawServerOptions {
  /** Speaks TLS. */
  readonly certificate?: Certificate;
  /** What is said to every first piece, after TLS. Default: 204 without a body. */
  readonly answer?: string;
}

/** Starts a {@link RawServer} on a free port of 127.0.0.1; it ends with the test. */
export async function startRawServer({ certificate, answer }: RawServerOptions = {}): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let bytes = 0;
  const speak = (socket: Socket): void => {
    socket.once("data", () => socket.write(answer ?? "HTTP/1.1 204 No Content\r\n\r\n"));
    socket.on("error", () => {});
  };
  const server: Server = certificate ? createTlsServer(certificate, speak) : createServer(speak);
  server.on("tlsClientError", () => {});
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket
      .on("error", () => {})
      .once("close", () => {
        bytes += socket.bytesRead;
        sockets.delete(socket);
      });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    bytes: () => [...sockets].reduce((sum, socket) => sum + socket.bytesRead, bytes),
    open: () => sockets.size,
  };
}
