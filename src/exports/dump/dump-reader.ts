import type { DumpPartEnd, DumpPosition } from "../formats/dump-position.js";
import type { DumpFormatName, DumpSelection } from "../formats/dump-selection.js";

/** Plain data: it crosses threads. */
export interface DumpRequest {
  readonly format: DumpFormatName;
  readonly selection: DumpSelection;
}

/** Some bytes of a dump. */
export interface DumpPiece {
  /** May be empty. Their memory is written over as soon as the next piece is asked for. */
  readonly bytes: Uint8Array;
  /** Where a part ends with these bytes. */
  readonly end: DumpPartEnd | null;
}

/** A dump that is made in a thread of its own, a little ahead of whoever reads it. */
export interface DumpReader {
  /** See `Dump`. */
  readonly fingerprint: string;
  readonly tables: readonly string[];
  /**
   * Piece by piece, from a position between two parts to the end of the dump. Once at a time. Leaving the loop early stops the work.
   * @throws `LOCAL_DATABASE`, `WORKER_FAILED`, the signal's reason
   */
  read(from: DumpPosition, signal?: AbortSignal): AsyncIterable<DumpPiece>;
  /** Ends the thread and lets go of the file. May be called twice. */
  close(): Promise<void>;
}
