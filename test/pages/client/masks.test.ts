import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { SyncConnection } from "../../../src/pages/client/sync-connection.js";
import { atEnd } from "../../support/at-end.js";

// https://www.rfc-editor.org/rfc/rfc6455#section-5.2: two bytes, then the mask of a payload of less than 126 bytes.
const MASK = { from: 2, to: 6 };

/** The first frame that a connection to this host sends, as it stands on the wire, and what the server has read in it. */
async function sentTo(hostname: string): Promise<{ readonly wire: Buffer; readonly read: string }> {
  const http = createServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  const sockets = new WebSocketServer({ noServer: true });
  const arrived = new Promise<{ wire: Buffer; read: string }>((resolve) => {
    http.on("upgrade", (request, socket, head) => {
      const wire: Buffer[] = [head];
      socket.on("data", (data) => wire.push(Buffer.from(data)));
      sockets.handleUpgrade(request, socket, head, (ws) =>
        ws.on("message", (message) => {
          resolve({ wire: Buffer.concat(wire), read: (message as Buffer).toString() });
          ws.close();
        }),
      );
    });
  });
  const { port } = http.address() as AddressInfo;
  const connection = await SyncConnection.open({
    url: `ws://${hostname}:${port}/sync`,
    token: "t",
    idleMs: 10_000,
    signal: new AbortController().signal,
  });
  atEnd(async () => {
    await connection.close();
    await new Promise((resolve) => http.close(resolve));
  });
  connection.send(Buffer.from("what is sent"));
  return arrived;
}

it("spares both ends the masking of frames that nobody between them sees", async () => {
  for (const hostname of ["127.0.0.1", "localhost"]) {
    const { wire, read } = await sentTo(hostname);
    expect(read).toBe("what is sent");
    expect(wire[1]).toBe(0x80 | read.length);
    expect(wire.subarray(MASK.from, MASK.to)).toEqual(Buffer.alloc(4));
    expect(wire.subarray(MASK.to).toString()).toBe(read);
  }
});

it("masks what may pass a proxy", async () => {
  // Loopback, too, by a name that does not say so.
  const { wire, read } = await sentTo("[::ffff:127.0.0.1]");
  expect(read).toBe("what is sent");
  expect(wire.subarray(MASK.from, MASK.to)).not.toEqual(Buffer.alloc(4));
  expect(wire.subarray(MASK.to).toString()).not.toBe(read);
});
