import type { PageSource } from "../source/page-source.js";

/** What `put` has left behind. */
export interface PutVersion {
  readonly fd: number;
  readonly stagedPath: string;
  readonly workDir: string;
  readonly unit: number;
  readonly unitCount: number;
  readonly source: PageSource | null;
  isPut(pageNo: number): boolean;
  /** Bytes of the last unit, where it was put. */
  readonly lastBytes: number | null;
  write(bytes: Uint8Array, at: number): void;
}

export interface FinishOptions {
  /** Combined hash of all pages that the server named; `null` where it named none, as a plain one. */
  readonly rootHash: Uint8Array | null;
  /** Run `PRAGMA integrity_check`, which blocks. Default `false`. */
  readonly check?: boolean;
  readonly signal?: AbortSignal;
  /** Told after each step of a few MB: `writing` what did not come, `checking` the whole. In pages of `pageSize` bytes. */
  readonly onProgress?: (progress: {
    readonly phase: "writing" | "checking";
    readonly pagesDone: number;
    readonly pagesTotal: number;
    readonly pageSize: number;
  }) => void;
}
