import type { ClientSession } from "../../../src/pages/session/client-session.js";
import type { ServerSession } from "../../../src/pages/session/server-session.js";
import { ClientMachine } from "./client-machine.js";
import { type Pages, Wire } from "./machine-link.js";
import { type FakeStore, ServerMachine } from "./server-machine.js";

export interface Run {
  readonly client: ClientMachine;
  readonly server: ServerMachine;
  readonly toServer: Wire;
  readonly toClient: Wire;
}

export interface RunOptions {
  /** Says whose turn is next, `true` for the client; the last one counts on. Default: in turns. */
  readonly turns?: readonly boolean[];
  /** The connection breaks after so many steps. */
  readonly steps?: number;
}

/** Runs both until neither has anything to do. @throws where they wait for each other */
export function runMachines(
  client: ClientSession,
  local: Pages,
  server: ServerSession,
  store: FakeStore,
  options: RunOptions = {},
): Run {
  const { turns = [true, false], steps = 1_000_000 } = options;
  const toServer = new Wire();
  const toClient = new Wire();
  const run = {
    client: new ClientMachine(client, local, toServer, toClient),
    server: new ServerMachine(server, store, toClient, toServer),
    toServer,
    toClient,
  };
  for (let step = 0; step < steps; step += 1) {
    const [first, second] = turns[step % turns.length] ? [run.client, run.server] : [run.server, run.client];
    if (!first.step() && !second.step()) {
      if (!run.client.isOver) throw new Error("client and server wait for each other");
      return run;
    }
  }
  if (options.steps === undefined) throw new Error("it never ends");
  return run;
}
