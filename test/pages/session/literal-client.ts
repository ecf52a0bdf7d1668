import type { Frame } from "../../../src/pages/protocol/frame.js";
import { createPullServer } from "../../../src/pages/session/pull-server.js";
import { createPushServer } from "../../../src/pages/session/push-server.js";
import { Wire } from "./machine-link.js";
import { type FakeStore, ServerMachine } from "./server-machine.js";

export interface Literal {
  /** Sends a frame, or gives all that has come since the last time. */
  readonly client: (frame?: Frame) => Frame[];
  readonly server: ServerMachine;
}

/** A client that is written out, frame by frame, at a server of ours. */
export function literal(direction: "push" | "pull", store: FakeStore, maxBytes: number = 2 ** 30): Literal {
  const [toServer, toClient] = [new Wire(), new Wire()];
  const session =
    direction === "push" ? createPushServer({ database: "d1", maxBytes }) : createPullServer({ database: "d1" });
  const server = new ServerMachine(session, store, toClient, toServer);
  const client = (frame?: Frame): Frame[] => {
    if (frame !== undefined) toServer.send(frame);
    while (server.step());
    if (frame !== undefined) return [];
    const frames: Frame[] = [];
    for (let message = toClient.take(); message !== null; message = toClient.take()) {
      if (typeof message !== "string") frames.push(message);
    }
    return frames;
  };
  return { client, server };
}
