import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type RawData, WebSocketServer } from "ws";
import { type PlainFrame, plainDecode, plainEncode } from "./plain-frames.js";
import { type PlainFile, PlainServerSession } from "./plain-server-session.js";

export interface PlainServer {
  /** `ws://127.0.0.1:port/sync` */
  readonly url: string;
  /** For clients that want the server's own address: `http://127.0.0.1:port`. */
  readonly httpUrl: string;
  /** What is stored; may be set. */
  readonly file: PlainFile;
  /** Every frame that came, in order. */
  readonly received: readonly PlainFrame[];
  close(): Promise<void>;
}

/** An original server that keeps one database in memory. The token is the direction: `push` or `pull`; any other is refused with 401. */
export async function startPlainServer(bytes: Uint8Array = new Uint8Array()): Promise<PlainServer> {
  const file: PlainFile = { bytes: Buffer.from(bytes) };
  const received: PlainFrame[] = [];
  const server = new WebSocketServer({
    host: "127.0.0.1",
    port: 0,
    path: "/sync",
    verifyClient: ({ req }, answer) => answer(/^Bearer (push|pull)$/.test(req.headers.authorization ?? ""), 401),
  });
  server.on("connection", (socket, request) => {
    const direction = request.headers.authorization === "Bearer pull" ? "pull" : "push";
    const session = new PlainServerSession(file, direction);
    // One frame after the other, in the order in which they came.
    let turn: Promise<void> = Promise.resolve();
    const take = async (message: RawData): Promise<void> => {
      const frame = plainDecode(message as Buffer);
      received.push(frame);
      for (const answer of await session.receive(frame)) {
        socket.send(plainEncode(answer));
        if (answer.kind === "sync_complete" || answer.kind === "error") socket.close();
      }
    };
    socket.on("message", (message) => {
      turn = turn.then(() => take(message)).catch(() => socket.terminate());
    });
    socket.on("error", () => socket.terminate());
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/sync`,
    httpUrl: `http://127.0.0.1:${port}`,
    file,
    received,
    async close() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
