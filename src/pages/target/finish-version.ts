import { fstatSync, ftruncateSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as yieldTurn } from "node:timers/promises";
import { ReplicaError } from "../../errors.js";
import { createPageHasher } from "../hashes/page-hasher.js";
import { HASH_BYTES, type PageHashes } from "../hashes/page-hashes.js";
import { createPageHashesFile } from "../hashes/page-hashes-file.js";
import { HEADER_BYTES, readDatabaseHeader } from "../source/database-header.js";
import { checkIntegrity } from "./check-integrity.js";
import { combinedWith } from "./combined-with.js";
import { fillVersion } from "./fill-version.js";
import { PAGE_ONE_HEADER_BYTES } from "./page-one-as-written.js";
import type { FinishOptions, PutVersion } from "./put-version.js";

/** A version that is complete and proven, byte for byte the server's, in a file beside its target. */
export interface StagedVersion {
  readonly stagedPath: string;
  readonly workDir: string;
  /** Of the database; without pages the one that the session counted in. */
  readonly pageSize: number;
  /** 0 where the server has nothing. */
  readonly pageCount: number;
  readonly rootHash: Uint8Array;
  /** As `ServerVersion` has it. */
  readonly pageOneHeader: Uint8Array;
  readonly pageOneHash: Uint8Array;
  /** Of all pages. */
  readonly hashes: PageHashes;
  /** What the user should know, a sentence each. */
  readonly notices: readonly string[];
  /** Removes what is still there of it. A second call does nothing. */
  close(): Promise<void>;
}

const STEP_BYTES = 4 * 1024 * 1024;

/** @throws as `Staging.finish` */
export async function finishVersion(put: PutVersion, options: FinishOptions): Promise<StagedVersion> {
  const bytes = await fillVersion(put, options);
  const { pageSize, pageCount } = measure(put, bytes);
  const notices: string[] = [];
  if (bytes > pageSize * pageCount) {
    ftruncateSync(put.fd, pageSize * pageCount);
    notices.push(tailNotice(bytes - pageSize * pageCount));
  }
  const { hashes, pageOneHeader, pageOneHash } = await hashVersion(put, { pageSize, pageCount }, options);
  try {
    const rootHash = await combinedWith(hashes, new Map());
    // What was cut off had a part in what the server said, but nobody reads it.
    if (notices.length === 0) verifyRoot(rootHash, put, pageSize, options.rootHash);
    if (options.check === true && pageCount > 0) await checkIntegrity(put.fd, put.stagedPath, pageOneHeader);
    const { stagedPath, workDir } = put;
    let isClosed = false;
    const close = async (): Promise<void> => {
      if (isClosed) return;
      isClosed = true;
      await hashes.close();
      for (const file of [stagedPath, hashesPath(workDir)]) rmSync(file, { force: true });
    };
    return { stagedPath, workDir, pageSize, pageCount, rootHash, pageOneHeader, pageOneHash, hashes, notices, close };
  } catch (error) {
    await hashes.close();
    throw error;
  }
}

/** Size and count of pages as the header says them, which what came has to bear out. */
function measure({ fd, unit }: PutVersion, bytes: number): { pageSize: number; pageCount: number } {
  if (bytes === 0) return { pageSize: unit, pageCount: 0 };
  const first = Buffer.alloc(HEADER_BYTES);
  const header = readDatabaseHeader(first.subarray(0, readSync(fd, first, 0, first.length, 0)));
  if (header === null) throw damaged("it does not begin as a SQLite database does");
  const { pageSize } = header;
  const pageCount = header.pageCount ?? bytes / pageSize;
  if (!Number.isInteger(pageCount)) throw damaged(`${bytes} bytes are no whole pages of ${pageSize}`);
  if (pageCount * pageSize > bytes) {
    throw damaged(`its header says ${pageCount} pages of ${pageSize} bytes, but ${bytes} bytes came`);
  }
  return { pageSize, pageCount };
}

/** Reads everything back: what counts is what is in the file. */
async function hashVersion(
  { fd, workDir }: PutVersion,
  { pageSize, pageCount }: { readonly pageSize: number; readonly pageCount: number },
  { signal, onProgress }: FinishOptions,
): Promise<{ hashes: PageHashes; pageOneHeader: Uint8Array; pageOneHash: Uint8Array }> {
  const hasher = await createPageHasher();
  const list = await createPageHashesFile(hashesPath(workDir), { code: "LOCAL_DATABASE" });
  try {
    const buffer = Buffer.allocUnsafe(Math.min(STEP_BYTES, pageSize * pageCount));
    let pageOneHeader = new Uint8Array();
    let pageOneHash = hasher.hash(pageOneHeader);
    for (let done = 0; done < pageCount; ) {
      signal?.throwIfAborted();
      const pages = buffer.subarray(0, Math.min(buffer.length, (pageCount - done) * pageSize));
      readFully(fd, pages, done * pageSize);
      const found = hasher.hashes(pages, pageSize);
      if (done === 0) {
        pageOneHeader = new Uint8Array(pages.subarray(0, PAGE_ONE_HEADER_BYTES));
        pageOneHash = new Uint8Array(found.subarray(0, HASH_BYTES));
      }
      await list.append(found);
      done += pages.length / pageSize;
      onProgress?.({ phase: "checking", pagesDone: done, pagesTotal: pageCount, pageSize });
      await yieldTurn();
    }
    return { hashes: await list.finish(), pageOneHeader, pageOneHash };
  } catch (error) {
    await list.close();
    throw error;
  }
}

function readFully(fd: number, into: Uint8Array, at: number): void {
  for (let done = 0; done < into.length; ) {
    const bytes = readSync(fd, into, done, into.length - done, at + done);
    if (bytes === 0) throw damaged(`the file has only ${fstatSync(fd).size} bytes`);
    done += bytes;
  }
}

function verifyRoot(found: Uint8Array, { unit }: PutVersion, pageSize: number, expected: Uint8Array | null): void {
  if (expected === null) return;
  if (unit !== pageSize) throw damaged(`its page size is ${pageSize}, not ${unit} as the server said`);
  if (Buffer.compare(found, expected) !== 0) throw damaged("its hash is not the one that the server named");
}

function damaged(why: string): ReplicaError {
  return new ReplicaError("INTEGRITY_FAILED", `What was pulled is not a whole version: ${why}`, {
    hint: "Nothing was replaced. Pull again; if it comes again, what the server has is damaged.",
    retryable: true,
  });
}

function tailNotice(bytes: number): string {
  return `${bytes} bytes that the server has beyond the end of the database were left out: it was larger once, and the server does not shorten files.`;
}

function hashesPath(workDir: string): string {
  return join(workDir, "staged.hashes");
}
