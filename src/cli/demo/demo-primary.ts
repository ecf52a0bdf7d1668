import type { ObjectStore } from "@drakkar.software/starfish-server";
import { type Listening, listen } from "./listen.js";
import { createPrimaryApp, type PrimaryApp, type RequestCount } from "./primary-app.js";

/** A primary that lets in signed requests only, and that can be stopped and started again. */
export interface DemoPrimary {
  /** Base URL of its sync routes. */
  readonly url: string;
  readonly store: ObjectStore;
  /** Requests so far. */
  readonly requests: Readonly<RequestCount>;
  readonly running: boolean;
  /** How many hear of its changes as they happen. */
  readonly listeners: number;
  /**
   * Comes back on the port it had, with the documents it had. Does nothing while it runs.
   * @throws Error when somebody else has taken the port
   */
  start(): Promise<void>;
  /** Closes its port and every connection. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts a primary on a free port of 127.0.0.1. */
export async function startDemoPrimary(store: ObjectStore): Promise<DemoPrimary> {
  const requests: RequestCount = { signed: 0, refused: 0 };
  let served = await serve(store, requests, 0);
  let running = true;
  const { origin, port } = served;
  return {
    url: `${origin}/v1`,
    store,
    requests,
    get running() {
      return running;
    },
    get listeners() {
      return served.changes.subscribers;
    },
    async start() {
      if (running) return;
      served = await serve(store, requests, port);
      running = true;
    },
    async stop() {
      running = false;
      await served.changes.close();
      await served.stop();
    },
  };
}

async function serve(store: ObjectStore, requests: RequestCount, port: number): Promise<Listening & PrimaryApp> {
  // A feed that was closed stays closed.
  const primary = createPrimaryApp(store, requests);
  return { ...(await listen(primary.app, port, "try again when it is free")), ...primary };
}
