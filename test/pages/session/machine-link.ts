import { createBLAKE3 } from "hash-wasm";
import { encodeFrame } from "../../../src/pages/protocol/encode-frame.js";
import type { Frame, Page } from "../../../src/pages/protocol/frame.js";
import { MAX_FRAME_BYTES } from "../../../src/pages/protocol/limits.js";
import { parseFrame } from "../../../src/pages/protocol/parse-frame.js";

/** Pages of a database, as bytes; page n is number n - 1. */
export type Pages = readonly Uint8Array[];

const hasher = await createBLAKE3();

export function hashOf(...parts: readonly Uint8Array[]): Uint8Array {
  hasher.init();
  for (const part of parts) hasher.update(part);
  return new Uint8Array(hasher.digest("binary"));
}

const pageHashes = new WeakMap<Uint8Array, Uint8Array>();

/** Remembered, since the same pages are compared again and again. */
export function pageHash(page: Uint8Array): Uint8Array {
  const known = pageHashes.get(page) ?? hashOf(page);
  pageHashes.set(page, known);
  return known;
}

export function combinedHash(pages: Pages, startPage = 1, endPage: number = pages.length): Uint8Array {
  return hashOf(...pages.slice(startPage - 1, endPage).map(pageHash));
}

/** Equal bytes, whatever they are cut into; far faster than `toEqual`. */
export function samePages(a: Pages, b: Pages): boolean {
  return Buffer.concat([...a]).equals(Buffer.concat([...b]));
}

/** Pages whose bytes all have the seed's value. */
export function pagesOf(seeds: readonly number[], pageSize: number): Pages {
  return seeds.map((seed) => new Uint8Array(pageSize).fill(seed));
}

export type Message = Frame | "ping" | "pong";

/** One direction of a connection: frames as bytes, in order. */
export class Wire {
  readonly #messages: (Uint8Array | "ping" | "pong")[] = [];
  readonly kinds: Map<string, number> = new Map();
  bytes = 0;
  /** Bytes that were sent and not read, at most. */
  peakBytes = 0;
  waitingBytes = 0;
  pages: number[] = [];
  /** Of the close that follows the last message. */
  closeReason = "";

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  send(message: Message): void {
    if (typeof message === "string") {
      this.#messages.push(message);
      return;
    }
    this.kinds.set(message.kind, (this.kinds.get(message.kind) ?? 0) + 1);
    this.pages.push(...pagesIn(message).map((page) => page.pageNo));
    this.sendBytes(encodeFrame(message));
  }

  sendBytes(bytes: Uint8Array): void {
    if (bytes.length > MAX_FRAME_BYTES) throw new Error(`a frame of ${bytes.length} bytes`);
    this.#messages.push(bytes);
    this.bytes += bytes.length;
    this.waitingBytes += bytes.length;
    this.peakBytes = Math.max(this.peakBytes, this.waitingBytes);
  }

  takeBytes(): Uint8Array | "ping" | "pong" | null {
    const message = this.#messages.shift();
    if (message === undefined) return null;
    if (typeof message !== "string") this.waitingBytes -= message.length;
    return message;
  }

  take(): Message | null {
    const message = this.takeBytes();
    return message === null || typeof message === "string" ? message : parseFrame(message);
  }
}

export function pagesIn(frame: Frame): readonly Page[] {
  if (frame.kind === "page_data") return [frame];
  return frame.kind === "page_data_batch" ? frame.pages : [];
}
