import type { PageSource } from "./page-source.js";

export interface OpenPageSourceOptions {
  /** A folder for the copy that is taken of a database that is not in WAL mode, which is removed by `close()`. It exists. */
  readonly workDir: string;
  readonly signal?: AbortSignal;
  /** Told several times a second at most, while a copy is taken. */
  readonly onProgress?: (progress: { readonly bytesDone: number; readonly bytesTotal: number }) => void;
  /** How long a copy is tried that writes keep undoing, in seconds. Default 30. */
  readonly steadySeconds?: number;
}

/**
 * One consistent moment of a SQLite file that may be in use, byte for byte as SQLite sees it.
 *
 * Only for a process that does nothing else with the file: closing it lets go of all locks that the process has on it
 * (https://sqlite.org/howtocorrupt.html, 2.2).
 * @throws `NOT_A_DATABASE`, `LOCAL_DATABASE`, `SNAPSHOT_UNSTEADY`, `DISK_LIMIT`, `MISSING_DRIVER`, the signal's reason
 */
export async function openPageSource(_path: string, _options: OpenPageSourceOptions): Promise<PageSource> {
  throw new Error("Not written yet");
}
