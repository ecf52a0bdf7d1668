import { connect, type Socket } from "node:net";
import { atEnd } from "../support/at-end.js";
import { buildSnippet } from "../support/build-once.js";
import { spawnNode } from "../support/child.js";
import { realDelay } from "../support/real-time.js";

const LISTENER = `
  import { createServer } from "node:net";
  const server = createServer();
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log("port " + server.address().port));
`;

/**
 * The port of a listener on 127.0.0.1 that lets no connection in and refuses none: its process stands still and its queue is full, so
 * that connecting hangs.
 */
export async function startDeafListener(): Promise<number> {
  const child = spawnNode(await buildSnippet(LISTENER));
  const port = Number((await child.waitForLine(/^port (\d+)$/))[1]);
  child.signal("SIGSTOP");
  const sockets: Socket[] = [];
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let filled = 0; filled < 64; filled++) {
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    const connected = new Promise<boolean>((resolve) => socket.once("connect", () => resolve(true)));
    if (!(await Promise.race([connected, realDelay(300)]))) return port;
  }
  throw new Error("The listener's queue never filled");
}
