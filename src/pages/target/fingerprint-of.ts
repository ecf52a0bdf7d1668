import { closeSync, openSync, readSync, statSync } from "node:fs";
import { createPageHasher } from "../hashes/page-hasher.js";
import { openPageSource } from "../source/open-page-source.js";
import { combinedWith } from "./combined-with.js";
import type { StagedVersion } from "./finish-version.js";
import { isPageOneAsWritten } from "./page-one-as-written.js";
import { mapTargetError } from "./target-error.js";

/** The page that SQLite's locks stand in, which it never writes: https://sqlite.org/fileformat2.html#the_lock_byte_page */
const LOCK_BYTE = 2 ** 30;

/**
 * The fingerprint that a file has where it is just what was staged, but for what SQLite changed of page 1 while it wrote. Where somebody has written to page 1
 * since, one that the file has not: so the change shows. Not while this process has a connection to the file.
 * @throws `LOCAL_DATABASE`
 */
export async function fingerprintOf(path: string, staged: StagedVersion): Promise<Uint8Array> {
  const { pageSize, pageCount } = staged;
  const hasher = await createPageHasher();
  if (pageCount === 0) {
    const source = await openPageSource(path, { workDir: staged.workDir });
    try {
      return hasher.combined(hasher.hashes(source.read(1, source.pageCount), source.pageSize));
    } finally {
      source.close();
    }
  }
  const pageOne = await readPage(path, staged, 1);
  if (!(await isPageOneAsWritten(staged, pageOne))) return staged.rootHash;
  const onDisk = new Map([[1, hasher.hash(pageOne)]]);
  const lockPage = LOCK_BYTE / pageSize + 1;
  if (lockPage <= pageCount) onDisk.set(lockPage, hasher.hash(await readPage(path, staged, lockPage)));
  return await combinedWith(staged.hashes, onDisk);
}

async function readPage(path: string, { pageSize, workDir }: StagedVersion, pageNo: number): Promise<Uint8Array> {
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    const source = await openPageSource(path, { workDir });
    try {
      return source.pageCount < pageNo ? new Uint8Array() : new Uint8Array(source.read(pageNo, 1));
    } finally {
      source.close();
    }
  }
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const page = new Uint8Array(pageSize);
    return page.subarray(0, readSync(fd, page, 0, pageSize, (pageNo - 1) * pageSize));
  } catch (error) {
    throw mapTargetError(error, `The local database ${path} cannot be read`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
