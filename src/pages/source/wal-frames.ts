import { readSync, readvSync } from "node:fs";
import { endianness } from "node:os";
import { setImmediate as turn } from "node:timers/promises";
import type { WalIndex } from "./wal-index.js";

/** https://sqlite.org/fileformat2.html#the_write_ahead_log */
const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const FRAMES_A_TURN = 8_192;
const [LOW, HIGH] = endianness() === "LE" ? [0, 1] : [1, 0];

/** Which pages of one moment stand in the write-ahead log, and where. Eight bytes of memory a frame. */
export class WalFrames {
  readonly #fd: number;
  readonly #salts: Buffer;
  readonly #pageSize: number;
  /** Sorted. */
  readonly #pages: Uint32Array;
  readonly #frames: Uint32Array;
  readonly #header: Buffer = Buffer.alloc(LOG_HEADER_BYTES);

  private constructor(fd: number, { salts, pageSize }: WalIndex, pages: Uint32Array, frames: Uint32Array) {
    this.#fd = fd;
    this.#salts = salts;
    this.#pageSize = pageSize;
    this.#pages = pages;
    this.#frames = frames;
  }

  /**
   * Reads the headers of the frames that are not in the database file yet.
   * @returns `null` where the log is not what the index says
   */
  static async read(fd: number, index: WalIndex, signal: AbortSignal | undefined): Promise<WalFrames | null> {
    const { salts, pageSize, lastFrame, backfilled } = index;
    const found = new BigUint64Array(lastFrame - backfilled);
    const halves = new Uint32Array(found.buffer);
    const header = Buffer.alloc(FRAME_HEADER_BYTES);
    for (let at = 0, frame = backfilled + 1; frame <= lastFrame; at += 2, frame += 1) {
      const bytes = readSync(fd, header, 0, FRAME_HEADER_BYTES, frameAt(frame, pageSize));
      if (bytes < FRAME_HEADER_BYTES || !isOf(header, salts)) return null;
      halves[at + HIGH] = header.readUInt32BE(0);
      halves[at + LOW] = frame;
      if (frame % FRAMES_A_TURN !== 0) continue;
      await turn();
      signal?.throwIfAborted();
    }
    return new WalFrames(fd, index, ...lastOfEach(found.sort()));
  }

  /** Where in the list the first page stands that is `page` or more. */
  indexFrom(page: number): number {
    let low = 0;
    for (let high = this.#pages.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((this.#pages[middle] as number) < page) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The page at a place in the list; infinite after the last one. */
  pageAt(index: number): number {
    return this.#pages[index] ?? Number.POSITIVE_INFINITY;
  }

  /** Reads the page at a place in the list. @returns whether the log still has it */
  readAt(index: number, into: Buffer): boolean {
    const from = frameAt(this.#frames[index] as number, this.#pageSize);
    const header = this.#header.subarray(0, FRAME_HEADER_BYTES);
    const bytes = readvSync(this.#fd, [header, into], from);
    const isWhole = bytes === FRAME_HEADER_BYTES + into.length;
    return isWhole && isOf(header, this.#salts) && header.readUInt32BE(0) === this.#pages[index];
  }

  /** Whether nobody has begun the log anew: that is written before any frame. */
  isStanding(): boolean {
    const bytes = readSync(this.#fd, this.#header, 0, LOG_HEADER_BYTES, 0);
    return bytes === LOG_HEADER_BYTES && this.#header.subarray(16, 24).equals(this.#salts);
  }
}

function frameAt(frame: number, pageSize: number): number {
  return LOG_HEADER_BYTES + (frame - 1) * (FRAME_HEADER_BYTES + pageSize);
}

function isOf(header: Buffer, salts: Buffer): boolean {
  return header.subarray(8, 16).equals(salts);
}

/** @param sorted a page and a frame each */
function lastOfEach(sorted: BigUint64Array): [pages: Uint32Array, frames: Uint32Array] {
  const halves = new Uint32Array(sorted.buffer);
  let count = 0;
  for (let at = 0; at < halves.length; at += 2) {
    const page = halves[at + HIGH] as number;
    if (at + 2 < halves.length && halves[at + 2 + HIGH] === page) continue;
    halves[2 * count + HIGH] = page;
    halves[2 * count + LOW] = halves[at + LOW] as number;
    count += 1;
  }
  const pages = new Uint32Array(count);
  const frames = new Uint32Array(count);
  for (let index = 0; index < count; index += 1) {
    pages[index] = halves[2 * index + HIGH] as number;
    frames[index] = halves[2 * index + LOW] as number;
  }
  return [pages, frames];
}
