import { readSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import type { WalIndex } from "./wal-index.js";

const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
const FRAMES_A_TURN = 1_024;

/**
 * Whether the log ends with the last frame that the index names: reads all of it, and believes what its checksums prove, as SQLite does after a crash.
 * https://sqlite.org/fileformat2.html#the_write_ahead_log
 */
export async function isEndOfLog(
  fd: number,
  { salts, lastFrame }: WalIndex,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const header = Buffer.alloc(LOG_HEADER_BYTES);
  if (readSync(fd, header, 0, LOG_HEADER_BYTES, 0) < LOG_HEADER_BYTES) return lastFrame === 0;
  const magic = header.readUInt32BE(0);
  const pageSize = header.readUInt32BE(8);
  const isLog = (magic & ~1) === MAGIC && pageSize >= 512 && pageSize <= 65_536;
  const sum = new LogChecksum((magic & 1) === 0);
  if (!isLog || !sum.add(header.subarray(0, 24)).equals(header, 24)) return lastFrame === 0;
  if (!header.subarray(16, 24).equals(salts)) return lastFrame === 0 && (await endOfLog(fd, header, sum, signal)) === 0;
  return (await endOfLog(fd, header, sum, signal)) === lastFrame;
}

/** The last frame that ends a transaction. */
async function endOfLog(
  fd: number,
  header: Buffer,
  sum: LogChecksum,
  signal: AbortSignal | undefined,
): Promise<number> {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + header.readUInt32BE(8));
  let end = 0;
  for (let number = 1; ; number += 1) {
    const from = LOG_HEADER_BYTES + (number - 1) * frame.length;
    if (readSync(fd, frame, 0, frame.length, from) < frame.length) return end;
    if (!frame.subarray(8, 16).equals(header.subarray(16, 24))) return end;
    if (!sum.add(frame.subarray(0, 8)).add(frame.subarray(FRAME_HEADER_BYTES)).equals(frame, 16)) return end;
    if (frame.readUInt32BE(4) !== 0) end = number;
    if (number % FRAMES_A_TURN === 0) {
      await turn();
      signal?.throwIfAborted();
    }
  }
}

/** https://sqlite.org/fileformat2.html#checksum_algorithm */
class LogChecksum {
  readonly #isLittle: boolean;
  #first = 0;
  #second = 0;

  constructor(isLittle: boolean) {
    this.#isLittle = isLittle;
  }

  add(bytes: Buffer): this {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += 8) {
      this.#first = (this.#first + view.getUint32(at, this.#isLittle) + this.#second) >>> 0;
      this.#second = (this.#second + view.getUint32(at + 4, this.#isLittle) + this.#first) >>> 0;
    }
    return this;
  }

  equals(bytes: Buffer, at: number): boolean {
    return bytes.readUInt32BE(at) === this.#first && bytes.readUInt32BE(at + 4) === this.#second;
  }
}
