import type { PageSource } from "../source/page-source.js";

export interface StageOptions {
  /** The file that it is for, as `resolveTarget` gives it. */
  readonly path: string;
  /** Bytes of a page as the session counts: the database's own page size, or a plain session's unit. */
  readonly unit: number;
  /** In units. */
  readonly unitCount: number;
  /**
   * Where units come from that are not put: the local moment, with the page 1 that was received where it counts as unchanged (`withPageOne`). Its page size
   * may be another: then units are cut from it as from a file. `null`: all units are put. Closed by its owner, not before `finish`.
   */
  readonly source: PageSource | null;
}

export interface FinishOptions {
  /** Combined hash of all pages that the server named; `null` where it named none. Not looked at where the unit is not the database's page size. */
  readonly rootHash: Uint8Array | null;
  /** Run `PRAGMA integrity_check`. Default `false`. */
  readonly check?: boolean;
  readonly signal?: AbortSignal;
  /** Told a few times a second at most. `pagesTotal` and `pagesDone` are of the phase. */
  readonly onProgress?: (progress: {
    readonly phase: "writing" | "checking";
    readonly pagesDone: number;
    readonly pagesTotal: number;
    readonly pageSize: number;
  }) => void;
}

/** A version that is complete and proven, byte for byte the server's, in a file beside its target. */
export interface StagedVersion {
  readonly stagedPath: string;
  /** Of the database; 0 pages where the server has nothing, with the page size that the session counted in. */
  readonly pageSize: number;
  readonly pageCount: number;
  readonly rootHash: Uint8Array;
  readonly pageOne: Uint8Array;
  readonly pageOneHash: Uint8Array;
  /** What the user should know: a tail that a plain server had left. */
  readonly notices: readonly string[];
  /** Combined hash of the version with other pages than these in their places. */
  combinedWith(replaced: ReadonlyMap<number, Uint8Array>): Promise<Uint8Array>;
  /** Removes the file, if it is still there. */
  close(): Promise<void>;
}

/** A version that is being put together in `<file>-replica-part`. */
export interface Staging {
  /**
   * In any order; each once. Blocks for as long as the writes take.
   * @throws `PAGE_PROTOCOL` for a page twice, of a wrong number or size; `LOCAL_DATABASE`
   */
  put(pages: readonly { readonly pageNo: number; readonly data: Uint8Array }[]): void;
  /**
   * Takes the rest from the source, and proves the whole.
   * @throws `INTEGRITY_FAILED`, `LOCAL_DATABASE`, the signal's reason
   */
  finish(options: FinishOptions): Promise<StagedVersion>;
  /** Gives it up and removes the file. After `finish` it does nothing. */
  close(): Promise<void>;
}

/** Begins a version; what a pull that was cut short left is removed. @throws `LOCAL_DATABASE` */
export async function stagePulledVersion(_options: StageOptions): Promise<Staging> {
  throw new Error("Not written yet");
}
