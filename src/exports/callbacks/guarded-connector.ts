import { connect as connectTcp, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { buildConnector } from "undici";
import { addressRefused, createGuardedLookup } from "./guarded-lookup.js";
import { mayGoTo } from "./public-address.js";

export interface GuardedConnectorOptions {
  readonly allowPrivate: boolean;
  /** Default `dns.lookup`. */
  readonly lookup?: LookupFunction;
  /** Certificates (PEM) that are trusted in place of Node's. */
  readonly ca?: string;
}

export interface GuardedConnector {
  /** For undici. Fails with `CALLBACK_REFUSED` where the connection would lead, or has led, where callbacks may not go. */
  readonly connect: buildConnector.connector;
  /** Drops every connection it made, and fails those that it is still making, which undici would wait for, whatever the request's signal says. */
  destroy(): void;
}

/**
 * Connects only where callbacks may go. A name's answers are filtered, and the address that the socket says it is connected to is judged once more
 * before a byte is sent, TLS's own greeting included: whatever a name leads to by then, nothing reaches it. Certificates are always verified,
 * against the URL's host, also where `NODE_TLS_REJECT_UNAUTHORIZED` says otherwise. Knows no proxy.
 */
export function createGuardedConnector({ allowPrivate, lookup, ca }: GuardedConnectorOptions): GuardedConnector {
  const guardedLookup = createGuardedLookup({ allowPrivate, ...(lookup !== undefined && { lookup }) });
  const sockets = new Set<Socket>();

  function track(socket: Socket): Socket {
    sockets.add(socket);
    // Errors that come after the one that was told.
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
    return socket;
  }

  function secure(socket: Socket, hostname: string): Socket {
    return track(
      connectTls({
        socket,
        host: hostname,
        // An address has no place in TLS's greeting. A name's final dot neither.
        servername: isIP(hostname) === 0 ? hostname.replace(/\.$/, "") : "",
        rejectUnauthorized: true,
        ALPNProtocols: ["http/1.1"],
        ...(ca !== undefined && { ca }),
      }),
    );
  }

  return {
    connect({ hostname, protocol, port }, done) {
      // A socket asks `lookup` about names alone.
      if (isIP(hostname) !== 0 && !mayGoTo(hostname, allowPrivate)) {
        return queueMicrotask(() => done(addressRefused(), null));
      }
      const secured = protocol === "https:";
      const socket = track(
        connectTcp({
          host: hostname,
          port: Number(port) || (secured ? 443 : 80),
          lookup: guardedLookup,
          noDelay: true,
        }),
      );
      whenReady(socket, "connect", (error) => {
        if (error !== null) return done(error, null);
        if (socket.remoteAddress === undefined || !mayGoTo(socket.remoteAddress, allowPrivate)) {
          socket.destroy();
          return done(addressRefused(), null);
        }
        if (!secured) return done(null, socket);
        const secureSocket = secure(socket, hostname);
        whenReady(secureSocket, "secureConnect", (failure) => {
          if (failure === null) return done(null, secureSocket);
          socket.destroy();
          done(failure, null);
        });
      });
    },
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Tells once: `null` when the socket is ready, else what stopped it; an end without an error of its own counts as a reset. */
function whenReady(socket: Socket, event: "connect" | "secureConnect", tell: (error: Error | null) => void): void {
  const settle = (error: Error | null): void => {
    socket.removeListener(event, ready).removeListener("error", settle).removeListener("close", closed);
    tell(error);
  };
  const ready = (): void => settle(null);
  const closed = (): void => settle(Object.assign(new Error("The connection was closed"), { code: "ECONNRESET" }));
  socket.once(event, ready).once("error", settle).once("close", closed);
}
