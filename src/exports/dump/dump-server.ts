import type Database from "better-sqlite3";
import { isUnshared, openSource } from "../../sqlite/open-source.js";
import type { Dump } from "../formats/dump-format.js";
import { DUMP_FORMATS } from "../formats/dump-formats.js";
import type { DumpPosition } from "../formats/dump-position.js";
import { DumpPieces, type WrittenPiece } from "./dump-pieces.js";
import type { DumpRequest } from "./dump-reader.js";
import { PieceSlots } from "./piece-slots.js";

/** The thread's end of a `DumpReader`. */
export class DumpServer {
  #database: Database.Database | undefined;
  #dump: Dump | undefined;
  #pieces: DumpPieces | undefined;
  #slots: PieceSlots | undefined;

  /** `null` where a live dump would hold up the writers, or the database cannot be shared. */
  async open(
    file: string,
    kind: "snapshot" | "live",
    request: DumpRequest,
    signal: AbortSignal,
  ): Promise<{ fingerprint: string; tables: readonly string[] } | null> {
    try {
      const { database, wal } = await openSource(file, signal);
      this.#database = database;
      // What is read is read once, in the order of the file.
      database.pragma("cache_size = -2000");
      if (kind === "live" && !wal) {
        this.close();
        return null;
      }
      // The transaction stays: so every read finds the same, and takes no lock of its own.
      this.#dump = DUMP_FORMATS[request.format].open(database, request.selection);
    } catch (error) {
      this.close();
      if (kind === "live" && isUnshared(error)) return null;
      throw error;
    }
    return { fingerprint: this.#dump.fingerprint, tables: this.#dump.tables };
  }

  /** What was being read before is left. @param memory of `PieceSlots` */
  begin(from: DumpPosition, memory: SharedArrayBuffer): void {
    this.stop();
    if (this.#dump === undefined) throw new TypeError("No dump is open");
    this.#slots = new PieceSlots(memory);
    this.#pieces = new DumpPieces(this.#dump, from);
  }

  /** Writes the next piece into this slot. `null` after the last. */
  pull(slot: number): WrittenPiece | null {
    if (this.#slots === undefined || this.#pieces === undefined) return null;
    return this.#pieces.write(this.#slots.slot(slot));
  }

  stop(): void {
    this.#pieces?.close();
    this.#pieces = undefined;
  }

  close(): void {
    this.stop();
    this.#dump = undefined;
    this.#database?.close();
    this.#database = undefined;
  }
}
