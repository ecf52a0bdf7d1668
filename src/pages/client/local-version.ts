import { join } from "node:path";
import { createPageHasher } from "../hashes/page-hasher.js";
import type { PageHashes } from "../hashes/page-hashes.js";
import { hashPageSource } from "../source/hash-page-source.js";
import { openPageSource } from "../source/open-page-source.js";
import type { PageSource } from "../source/page-source.js";
import { PAGE_ONE_HEADER_BYTES } from "../target/page-one-as-written.js";
import { recogniseLocal } from "../target/recognise-local.js";
import type { SyncedVersion, SyncRecord } from "../target/remembered-version.js";
import { withPageOne } from "../target/with-page-one.js";
import { asUnits } from "./as-units.js";
import type { HashedPages } from "./hashed-pages.js";
import { hashesWithPageOne } from "./hashes-with-page-one.js";
import type { SyncProgress } from "./sync-progress.js";

/**
 * One moment of the local file as both ends count it: where the file is unchanged since the last sync, with the page 1 that was synced, of which SQLite has
 * altered a few bytes when it wrote the file.
 */
export interface LocalVersion extends HashedPages {
  /** Combined hash of all pages. */
  readonly rootHash: Uint8Array;
  readonly pageOneHeader: Uint8Array;
  readonly pageOneHash: Uint8Array;
  /** Combined hash of all pages as they are on disk. */
  readonly fingerprint: Uint8Array;
  /** The version that it is unchanged since; `null` where it was changed, or never synced. */
  readonly origin: SyncedVersion | null;
  /** The same version in units of so many bytes, for a plain session. Hashes it anew; closed with the version. */
  inUnits(unit: number): Promise<HashedPages>;
  close(): Promise<void>;
}

interface LocalVersionOptions {
  readonly path: string;
  readonly record: SyncRecord;
  readonly workDir: string;
  readonly progress: SyncProgress;
  readonly signal: AbortSignal;
}

/**
 * Reads and hashes the file. Other programs may go on writing to it.
 * @returns `null` for an empty file
 * @throws what `openPageSource` throws
 */
export async function openLocalVersion(options: LocalVersionOptions): Promise<LocalVersion | null> {
  const { path, record, workDir, progress, signal } = options;
  // Nobody knows how many pages there are while a copy is taken.
  const source = await openPageSource(path, {
    workDir,
    signal,
    onProgress: () => progress.report("reading", 0, null, 0),
  });
  const opened: { close(): Promise<void> | void }[] = [source];
  const close = async (): Promise<void> => {
    for (const one of opened.splice(0).reverse()) await one.close();
  };
  const hash = async (pages: PageSource, name: string): Promise<PageHashes> => {
    const hashes = await hashPageSource(pages, {
      path: join(workDir, name),
      hasher,
      signal,
      onProgress: ({ pagesDone, pagesTotal }) => progress.report("reading", pagesDone, pagesTotal, pages.pageSize),
    });
    opened.push(hashes);
    return hashes;
  };
  const hasher = await createPageHasher();
  try {
    const { pageCount } = source;
    if (pageCount === 0) {
      await close();
      return null;
    }
    const onDisk = await hash(source, "hashes");
    const fingerprint = await onDisk.combined(1, pageCount);
    const origin = await recogniseLocal(record, source, onDisk);
    const version =
      origin === null
        ? {
            source,
            hashes: onDisk,
            pageOneHeader: new Uint8Array(source.read(1, 1).subarray(0, PAGE_ONE_HEADER_BYTES)),
            pageOneHash: await onDisk.read(1, 1),
          }
        : {
            source: withPageOne(source, origin.pageOneHeader),
            hashes: hashesWithPageOne(onDisk, origin.pageOneHash),
            pageOneHeader: origin.pageOneHeader,
            pageOneHash: origin.pageOneHash,
          };
    return {
      ...version,
      rootHash: origin?.rootHash ?? fingerprint,
      fingerprint,
      origin,
      async inUnits(unit) {
        const units = asUnits(version.source, unit);
        return { source: units, hashes: await hash(units, `hashes-of-${unit}`) };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
