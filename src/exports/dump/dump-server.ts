import type Database from "better-sqlite3";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";
import { Transferred } from "../../threads/serve-calls.js";
import type { Dump } from "../formats/dump-format.js";
import { DUMP_FORMATS } from "../formats/dump-formats.js";
import type { DumpPosition } from "../formats/dump-position.js";
import type { DumpRequest } from "./dump-reader.js";
import { gatherPieces } from "./gather-pieces.js";
import { openSource } from "./open-source.js";

/** The thread's end of a `DumpReader`. */
export class DumpServer {
  #database: Database.Database | undefined;
  #dump: Dump | undefined;
  #pieces: ReturnType<typeof gatherPieces> | undefined;

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
      if (kind === "live" && !wal) {
        this.close();
        return null;
      }
      // The transaction stays: so every read finds the same, and takes no lock of its own.
      this.#dump = DUMP_FORMATS[request.format].open(database, request.selection);
    } catch (error) {
      this.close();
      if (kind === "live" && error instanceof Error && isSqliteError(error.cause)) {
        if (error.cause.code.startsWith("SQLITE_CANTOPEN")) return null;
      }
      throw error;
    }
    return { fingerprint: this.#dump.fingerprint, tables: this.#dump.tables };
  }

  /** What was being read before is left. */
  begin(from: DumpPosition): void {
    this.stop();
    if (this.#dump === undefined) throw new TypeError("No dump is open");
    this.#pieces = gatherPieces(this.#dump, from);
  }

  /** `null` after the last piece. */
  pull(): Transferred | null {
    const piece = this.#pieces?.next();
    if (piece === undefined || piece.done === true) return null;
    return new Transferred(piece.value, [piece.value.bytes.buffer]);
  }

  stop(): void {
    this.#pieces?.return(undefined);
    this.#pieces = undefined;
  }

  close(): void {
    this.stop();
    this.#dump = undefined;
    this.#database?.close();
    this.#database = undefined;
  }
}
