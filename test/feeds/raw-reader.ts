import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createParser } from "eventsource-parser";
import { atEnd } from "../support/at-end.js";
import { waitFor } from "../support/wait.js";

interface RawEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server sent
  readonly data: any;
}

/** What a plain HTTP client sees of an event stream. */
export interface RawReader {
  readonly status: number;
  readonly headers: Headers;
  readonly events: RawEvent[];
  /** How many comments came. */
  readonly comments: number;
  /** Whether the server has ended the stream in order; `"broken"` when it broke off. */
  readonly ended: boolean | "broken";
  /** Hashes of the changes. */
  readonly hashes: string[];
  readonly lastId: string | undefined;
  /** Resolves when a change with this hash has come. */
  heard(hash: string): Promise<void>;
  close(): void;
}

/** Opens an event stream and writes down what comes. Resolves with the answer's head, and for a stream when it has said `ready`. */
export async function readRaw(url: string, headers: Record<string, string> = {}): Promise<RawReader> {
  const abort = new AbortController();
  atEnd(() => abort.abort());
  const response = await fetch(url, { headers, signal: abort.signal });
  const events: RawEvent[] = [];
  let comments = 0;
  let ended: RawReader["ended"] = false;
  const parser = createParser({
    onEvent: ({ id, event, data }) => events.push({ id, event, data: data === "" ? "" : JSON.parse(data) }),
    onComment: () => {
      comments += 1;
    },
  });
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? []) parser.feed(decoder.decode(piece, { stream: true }));
  };
  const reader: RawReader = {
    status: response.status,
    headers: response.headers,
    events,
    get comments() {
      return comments;
    },
    get ended() {
      return ended;
    },
    get hashes() {
      return events.filter(({ event }) => event === "change").map(({ data }) => data.hash);
    },
    get lastId() {
      return events.findLast(({ id }) => id !== undefined)?.id;
    },
    async heard(hash) {
      await waitFor(() => reader.hashes.includes(hash), { everyMs: 2, what: `the change ${hash.slice(0, 8)}` });
    },
    close: () => abort.abort(),
  };
  if (response.status !== 200) {
    await response.body?.cancel();
    return reader;
  }
  read().then(
    () => {
      ended = true;
    },
    () => {
      ended = "broken";
    },
  );
  await waitFor(() => events.length > 0, { everyMs: 2, what: "ready" });
  return reader;
}

/** Opens an event stream on a bare socket, reads its head and then not one byte more. */
export async function stallReader(port: number, headers = ""): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  atEnd(() => socket.destroy());
  socket.on("error", () => {});
  socket.write(`GET /v1/changes HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}\r\n`);
  await once(socket, "data");
  socket.pause();
  return socket;
}
