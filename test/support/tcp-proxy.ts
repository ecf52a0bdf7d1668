import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { atEnd } from "./at-end.js";
import { type LinkFault, type LinkRules, TcpLink } from "./tcp-link.js";

/**
 * A TCP proxy whose line can be made bad while it is used. A fault holds for new connections and for the bytes still to come on those
 * that are open, until the next one is set.
 */
export interface TcpProxy {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** Client connections that were accepted: since the start, now, and the most at one time. */
  readonly connections: { total: number; open: number; peak: number };
  /** Bytes got from clients (`up`) and sent to clients (`down`). */
  readonly bytes: { up: number; down: number };
  /**
   * No fault. Listens on the same port again after `refuse`. Connections that a black hole has swallowed are reset, as by a router that
   * forgot them, or with `keepDead` stay open and silent, as after one that says nothing.
   */
  pass(options?: { keepDead?: boolean }): Promise<void>;
  /** Stops listening, so that connecting is refused, and resets the open connections unless they are to be kept. */
  refuse(options?: { keepOpen?: boolean }): Promise<void>;
  /** Hands on so many more bytes of answers per connection, then resets it (RST). */
  resetAfter(bytes: number): void;
  /** Accepts, reads, and never says anything. */
  blackHole(): void;
  /** Hands on answers `bytes` at a time, with a pause of `everyMs` after each. */
  drip(bytes: number, everyMs: number): void;
  /** Every piece arrives so much later, in both directions, whatever the fault. 0 switches it off. */
  setLatencyMs(ms: number): void;
  /** New connections go to this port from now on: that of a server that was started again. */
  retarget(port: number): void;
  /** Ends all open connections now: `reset` (RST, the default) or `end` (FIN). */
  cut(how?: "reset" | "end"): void;
  /** Closes everything. Done by itself when the test ends. */
  stop(): Promise<void>;
}

/** Starts a {@link TcpProxy} on a free port of 127.0.0.1 in front of a target. */
export async function startTcpProxy(targetPort: number, targetHost = "127.0.0.1"): Promise<TcpProxy> {
  const connections = { total: 0, open: 0, peak: 0 };
  const rules: LinkRules = {
    fault: { kind: "pass" },
    latencyMs: 0,
    target: { host: targetHost, port: targetPort },
    bytes: { up: 0, down: 0 },
  };
  const links = new Set<TcpLink>();
  let server: Server | undefined;

  const listen = async (port: number): Promise<number> => {
    server = createServer({ allowHalfOpen: true }, (client) => {
      const link = new TcpLink(client, rules);
      links.add(link);
      connections.total += 1;
      connections.open += 1;
      connections.peak = Math.max(connections.peak, connections.open);
      void link.closed.then(() => {
        links.delete(link);
        connections.open -= 1;
      });
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const cut = (how: "reset" | "end" = "reset") => {
    for (const link of links) link.cut(how);
  };
  const hangUp = async (keepOpen: boolean) => {
    const old = server;
    server = undefined;
    // The port is free at once; `close` is emitted when the last connection has ended.
    const closed = old && once(old, "close");
    old?.close();
    if (keepOpen) return;
    cut();
    await Promise.all([closed, ...[...links].map((link) => link.closed)]);
  };
  const become = (fault: LinkFault) => {
    rules.fault = fault;
  };

  const port = await listen(0);
  const proxy: TcpProxy = {
    port,
    origin: `http://127.0.0.1:${port}`,
    connections,
    bytes: rules.bytes,
    async pass({ keepDead = false } = {}) {
      become({ kind: "pass" });
      if (!keepDead) for (const link of links) if (link.dead) link.cut("reset");
      if (server === undefined) await listen(port);
    },
    refuse: ({ keepOpen = false } = {}) => hangUp(keepOpen),
    resetAfter: (bytes) => become({ kind: "reset-after", bytes }),
    blackHole: () => become({ kind: "black-hole" }),
    drip: (bytes, everyMs) => become({ kind: "drip", bytes, everyMs }),
    setLatencyMs(ms) {
      rules.latencyMs = ms;
    },
    retarget(port) {
      rules.target = { host: targetHost, port };
    },
    cut,
    async stop() {
      await hangUp(false);
      cut();
    },
  };
  atEnd(proxy.stop);
  return proxy;
}
