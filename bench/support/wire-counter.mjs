import { once } from "node:events";
import { connect, createServer } from "node:net";

/** A port that leads to the one of `url` and counts the bytes that pass, in both directions. */
export async function countWire(url) {
  const target = new URL(url);
  const sockets = new Set();
  let bytes = 0;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(from);
      from.on("data", (piece) => {
        bytes += piece.length;
      });
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const through = new URL(url);
  through.port = server.address().port;
  return {
    url: through.href,
    /** Since the last call. */
    takeBytes() {
      const taken = bytes;
      bytes = 0;
      return taken;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
