import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ReplicaErrorCode } from "../../errors.js";

/** An answer over plain HTTP to a request that becomes no WebSocket. */
export interface UpgradeAnswer {
  readonly status: number;
  /** What, and how to mend it. */
  readonly error: string;
  readonly code: ReplicaErrorCode;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Time for a peer to read an answer while what it still sends is thrown away: closing at once would reset the connection, and the answer with it. */
const LINGER_MS = 1_000;

/** Answers on the socket of an upgrade, and lets go of it. Resolves when it is closed. Never rejects. */
export function answerUpgrade(socket: Duplex, answer: UpgradeAnswer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on("error", () => {});
    socket.once("end", () => socket.destroy());
    socket.resume();
    const body = JSON.stringify({ error: answer.error, code: answer.code });
    const headers = {
      "content-type": "application/json; charset=utf-8",
      "content-length": String(Buffer.byteLength(body)),
      "cache-control": "no-store",
      connection: "close",
      ...answer.headers,
    };
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${head.join("")}\r\n${body}`);
  });
}
