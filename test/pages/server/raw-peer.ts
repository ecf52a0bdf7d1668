import { once } from "node:events";
import { WebSocket } from "ws";
import { encodeFrame } from "../../../src/pages/protocol/encode-frame.js";
import type { Frame } from "../../../src/pages/protocol/frame.js";
import { parseFrame } from "../../../src/pages/protocol/parse-frame.js";
import { atEnd } from "../../support/at-end.js";
import { waitFor } from "../../support/wait.js";

/** A WebSocket with a sync token whose every frame a test decides. */
export interface RawPeer {
  readonly socket: WebSocket;
  /** Frames that have come and nobody has asked for. */
  readonly frames: Frame[];
  /** How it was closed; `null` while it is open. */
  readonly closed: { readonly code: number } | null;
  send(...frames: readonly Frame[]): void;
  /** The next frame. Fails where the connection is closed without one. */
  next<K extends Frame["kind"]>(kind: K): Promise<Frame & { readonly kind: K }>;
  /** The message of the `error` frame and the code of the close after it; frames before are skipped. */
  refusal(): Promise<{ readonly message: string; readonly code: number }>;
  /** Waits for the close. */
  close(): Promise<number>;
}

/** @throws where the upgrade is answered with anything but 101 */
export async function connectRawPeer(url: string, token: string): Promise<RawPeer> {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
  atEnd(() => socket.terminate());
  const frames: Frame[] = [];
  let closed: { readonly code: number } | null = null;
  socket.on("message", (data) => frames.push(parseFrame(data as Buffer)));
  socket.on("close", (code) => {
    closed = { code };
  });
  await once(socket, "open");
  socket.on("error", () => {});
  const take = async (): Promise<Frame> => {
    await waitFor(() => frames.length > 0 || closed !== null, { everyMs: 1, what: "a frame or the close" });
    const frame = frames.shift();
    if (frame === undefined) throw new Error(`Closed (${closed?.code}) without another frame`);
    return frame;
  };
  const close = async () => (await waitFor(() => closed, { what: "the close" })).code;
  return {
    socket,
    frames,
    get closed() {
      return closed;
    },
    send(...out) {
      for (const frame of out) socket.send(encodeFrame(frame));
    },
    async next(kind) {
      const frame = await take();
      if (frame.kind !== kind) throw new Error(`Expected ${kind}, got ${JSON.stringify(frame)}`);
      return frame as Frame & { readonly kind: typeof kind };
    },
    async refusal() {
      for (;;) {
        const frame = await take();
        if (frame.kind === "error") return { message: frame.message, code: await close() };
      }
    },
    close,
  };
}
