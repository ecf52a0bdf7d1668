import { setImmediate as turn } from "node:timers/promises";
import type { PageHasher } from "../hashes/page-hasher.js";
import type { PageHashes } from "../hashes/page-hashes.js";
import { createPageHashesFile, type PageHashesFile } from "../hashes/page-hashes-file.js";
import type { PageSource } from "./page-source.js";

export interface HashPageSourceOptions {
  /** Where the hashes are written; a file that is there is replaced. */
  readonly path: string;
  readonly hasher: PageHasher;
  readonly signal?: AbortSignal;
  /** Told after each step of at most a few MB. */
  readonly onProgress?: (progress: { readonly pagesDone: number; readonly pagesTotal: number }) => void;
}

const STEP_BYTES = 2 * 1024 * 1024;

/**
 * The hashes of all pages, in a file that whoever closes them removes. Blocks its thread, but for moments in which an abort is heard.
 * @throws `LOCAL_DATABASE`, what `source.read` throws, the signal's reason
 */
export async function hashPageSource(
  source: PageSource,
  { path, hasher, signal, onProgress }: HashPageSourceOptions,
): Promise<PageHashes> {
  const { pageCount, pageSize } = source;
  let file: PageHashesFile | undefined;
  try {
    file = await createPageHashesFile(path, { code: "LOCAL_DATABASE" });
    for (let done = 0; done < pageCount; ) {
      signal?.throwIfAborted();
      const count = Math.min(STEP_BYTES / pageSize, pageCount - done);
      await file.append(hasher.hashes(source.read(done + 1, count), pageSize));
      done += count;
      onProgress?.({ pagesDone: done, pagesTotal: pageCount });
      await turn();
    }
    return await file.finish();
  } finally {
    await file?.close();
  }
}
