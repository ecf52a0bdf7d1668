import { ReplicaError } from "../../errors.js";
import { HASH_BYTES } from "../hashes/page-hashes.js";
import { encodeFrame } from "../protocol/encode-frame.js";
import type { Frame, Page } from "../protocol/frame.js";
import { parseFrame } from "../protocol/parse-frame.js";
import type {
  ClientEffect,
  ClientOutcome,
  ClientRestart,
  ClientSession,
  PeerFacts,
} from "../session/client-session.js";
import type { PageSource } from "../source/page-source.js";
import type { HashedPages } from "./hashed-pages.js";
import type { SyncConnection } from "./sync-connection.js";

export interface SessionPorts {
  readonly direction: "push" | "pull";
  /** `null` where there is no local file. */
  readonly local: HashedPages | null;
  /** Told once, when the server has answered `hello`, before anything else follows from that. What it throws ends the sync. */
  readonly onPeer?: (peer: PeerFacts) => void;
  /** Called before the server is told that all hashes are sent. */
  readonly beforeComplete?: () => Promise<void>;
  /** Pages of the version that is being pulled. */
  readonly store?: (pages: readonly Page[]) => Promise<void>;
  /** Hashes of so many single pages have been sent. */
  readonly onCompared: (pages: number) => void;
  /** So many pages have been sent or have come. */
  readonly onPages: (pages: number) => void;
}

/** How a session ended that did not fail. */
export type SessionEnd =
  | { readonly do: "restart"; readonly how: ClientRestart }
  | { readonly do: "finish"; readonly outcome: ClientOutcome };

/** Hashes that are read from their file at a time. */
const HASHES_AT_ONCE = 1_024;

/**
 * Runs one session to its end on a connection that is open; closing it is the caller's. A server that broke the rules, or that waits while something fails
 * here, is told so.
 * @throws what the session, the connection or the ports throw
 */
export async function runSession(
  session: ClientSession,
  connection: SyncConnection,
  ports: SessionPorts,
): Promise<SessionEnd> {
  let isPeerTold = false;
  try {
    let effects = session.open();
    for (;;) {
      if (!isPeerTold && session.peer !== null) {
        isPeerTold = true;
        ports.onPeer?.(session.peer);
      }
      for (const effect of effects) {
        if (effect.do === "restart" || effect.do === "finish") return effect;
        if (effect.do === "hear-close") session.closed(await connection.closeReason());
        await run(effect, connection, ports);
      }
      const message = connection.take();
      if (message !== undefined) {
        const frame = parseFrame(message);
        verifyDirection(frame, ports.direction);
        effects = session.receive(frame);
        continue;
      }
      effects = connection.hasRoom ? session.idle() : [];
      if (effects.length > 0) continue;
      // Without room there may be something to do as soon as there is some.
      if (connection.hasRoom) await connection.frame();
      else await connection.frameOrRoom();
    }
  } catch (error) {
    if (!isTheirs(error)) connection.send(encodeFrame(session.failed(error)));
    throw error;
  }
}

/** A plain server is told no direction: one that does the opposite was given a token for that. */
function verifyDirection({ kind }: Frame, direction: "push" | "pull"): void {
  const isPush = kind === "request_page" || kind === "request_pages";
  const isPull = kind === "page_data" || kind === "page_data_batch";
  if (direction === "pull" ? !isPush : !isPull) return;
  const opposite = direction === "pull" ? "push" : "pull";
  throw new ReplicaError("INVALID_TOKEN", `The sync token is for a ${opposite}, and this is a ${direction}`, {
    hint: `Get one for a ${direction}: starfish-replica db token ID --direction ${direction}`,
  });
}

/** Whether the server has said it, which needs not be told. */
function isTheirs(error: unknown): boolean {
  return error instanceof ReplicaError && ["SYNC_REFUSED", "GENERATION_CONFLICT", "INVALID_TOKEN"].includes(error.code);
}

async function run(
  effect: Exclude<ClientEffect, { readonly do: "restart" | "finish" | "hear-close" }>,
  connection: SyncConnection,
  ports: SessionPorts,
): Promise<void> {
  const send = (frame: Frame): void => connection.send(encodeFrame(frame));
  switch (effect.do) {
    case "send":
      if (effect.frame.kind === "complete") await ports.beforeComplete?.();
      return send(effect.frame);
    case "send-range": {
      const { startPage, endPage } = effect;
      const combinedHash = await localOf(ports).hashes.combined(startPage, endPage);
      return send({ kind: "page_hash_batch", startPage, endPage, combinedHash });
    }
    case "send-hashes":
      return sendHashes(effect.startPage, effect.endPage, send, ports);
    case "send-pages":
      return sendPages(effect.pageNumbers, effect.single, send, ports);
    case "store-pages":
      await ports.store?.(effect.pages);
      return ports.onPages(effect.pages.length);
    case "barrier":
      return connection.barrier();
  }
}

async function sendHashes(
  startPage: number,
  endPage: number,
  send: (frame: Frame) => void,
  ports: SessionPorts,
): Promise<void> {
  const { hashes } = localOf(ports);
  for (let first = startPage; first <= endPage; first += HASHES_AT_ONCE) {
    const count = Math.min(HASHES_AT_ONCE, endPage - first + 1);
    const found = await hashes.read(first, count);
    for (let index = 0; index < count; index += 1) {
      const hash = found.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
      send({ kind: "page_hash", pageNo: first + index, hash });
    }
    ports.onCompared(count);
  }
}

function sendPages(
  pageNumbers: readonly number[],
  isSingle: boolean,
  send: (frame: Frame) => void,
  ports: SessionPorts,
): void {
  const pages = readPages(localOf(ports).source, pageNumbers);
  if (isSingle) for (const page of pages) send({ kind: "page_data", ...page });
  else send({ kind: "page_data_batch", pages });
  ports.onPages(pages.length);
}

/** Pages that stand next to each other are read in one. They are good until the source is read again. */
function readPages(source: PageSource, pageNumbers: readonly number[]): Page[] {
  const pages: Page[] = [];
  for (let index = 0; index < pageNumbers.length; ) {
    const first = pageNumbers[index] ?? 0;
    let count = 1;
    while (pageNumbers[index + count] === first + count) count += 1;
    const read = source.read(first, count);
    // The source uses its buffer again.
    const bytes = index + count < pageNumbers.length ? new Uint8Array(read) : read;
    for (let at = 0; at < count; at += 1) {
      const data = bytes.subarray(at * source.pageSize, (at + 1) * source.pageSize);
      pages.push({ pageNo: first + at, data });
    }
    index += count;
  }
  return pages;
}

function localOf(ports: SessionPorts): HashedPages {
  if (ports.local === null) throw new TypeError("A session without a local file names no pages of it");
  return ports.local;
}
