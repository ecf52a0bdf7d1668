import { once } from "node:events";
import type { ReplicaError } from "../../src/errors.js";
import { createSseFeed, type SseFeedOptions } from "../../src/feeds/sse-feed.js";
import { atEnd } from "../support/at-end.js";
import { type Behaviour, type HostileServer, startHostileServer } from "../support/hostile-server.js";
import { type RecordingHandler, recordingHandler } from "./recording-handler.js";

/** How a primary greets a reader that may have missed something. */
export const READY = 'event: ready\ndata: {"gap":true,"heartbeatMs":15000}\n\n';

/** One change event on the wire. */
export const change = (hash: string, id?: string): string => {
  const data = JSON.stringify({ collection: "posts", namespace: null, key: "posts/doc", hash, timestamp: 1 });
  return `${id === undefined ? "" : `id: ${id}\n`}event: change\ndata: ${data}\n\n`;
};

/** Event streams, good and bad. */
export const stream = {
  /** Says `text` and stays open. */
  open: (text: string | Uint8Array): Behaviour => {
    return (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(text);
    };
  },
  /** Says `text` and ends in order. */
  ended: (text: string): Behaviour => {
    return (_request, response) => response.writeHead(200, { "content-type": "text/event-stream" }).end(text);
  },
  /** Says `head` and then `text` again and again at the reader's pace, 256 MiB at most. Counts what it said in `sent`. */
  endless: (head: string, text: string, sent: { bytes: number } = { bytes: 0 }): Behaviour => {
    return async (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(head);
      const gone = new AbortController();
      response.once("close", () => gone.abort());
      const piece = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
      for (; !response.destroyed && sent.bytes < 256 * 1024 * 1024; sent.bytes += piece.byteLength) {
        if (!response.write(piece)) await once(response, "drain", { signal: gone.signal }).catch(() => {});
      }
    };
  },
};

interface FeedAtServer {
  readonly server: HostileServer;
  readonly handler: RecordingHandler;
  readonly errors: ReplicaError[];
  readonly end: AbortController;
}

/**
 * A feed with one subscriber at a server that answers its connects with `behaviours`, one each, and from then on greets and stays. Ends
 * with the test.
 */
export async function feedAtServer(
  options: Partial<SseFeedOptions> = {},
  ...behaviours: Behaviour[]
): Promise<FeedAtServer> {
  const server = await startHostileServer();
  server.next(...behaviours);
  server.on("*", stream.open(READY));
  const errors: ReplicaError[] = [];
  const feed = createSseFeed({
    url: `${server.url}/changes`,
    reconnectBaseMs: 5,
    reconnectCapMs: 20,
    onError: (error) => errors.push(error),
    ...options,
  });
  const handler = recordingHandler();
  const end = new AbortController();
  atEnd(() => end.abort());
  feed.subscribe(handler, end.signal);
  return { server, handler, errors, end };
}
