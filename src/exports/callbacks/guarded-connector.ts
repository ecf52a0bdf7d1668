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
  /** Drops every connection it made, and those that it is still making: undici leaves them alone. */
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
      const fail = (error: Error): void => {
        socket.destroy();
        done(error, null);
      };
      socket.once("error", fail).once("connect", () => {
        socket.removeListener("error", fail);
        if (socket.remoteAddress === undefined || !mayGoTo(socket.remoteAddress, allowPrivate)) {
          return fail(addressRefused());
        }
        if (!secured) return done(null, socket);
        const secureSocket = secure(socket, hostname);
        secureSocket.once("error", fail).once("secureConnect", () => {
          secureSocket.removeListener("error", fail);
          done(null, secureSocket);
        });
      });
    },
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
