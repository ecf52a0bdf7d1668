import type { PageStore } from "./page-store.js";

export interface FilePageStoreOptions {
  /** The folder of the page server; `databases` and `staging` in it are the store's own. Made, for this user alone, where there is none. */
  readonly dir: string;
  /** How long pages of a push that broke off are kept for the next one, in seconds. Default 86 400: a day. */
  readonly stagingTtlSeconds?: number;
  /** Told of what fails beside the work: old files that cannot be removed, the link that cannot be made. Default: a process warning. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Keeps each database as a SQLite file of its own: `<dir>/databases/<id>/<generation>.db`, with the link `<dir>/databases/<id>.db` to the newest. One process at a time may
 * use a folder: whoever opens it sees to that.
 */
export function createFilePageStore(_options: FilePageStoreOptions): PageStore {
  throw new Error("not yet");
}
