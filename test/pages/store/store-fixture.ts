import Database from "better-sqlite3";
import { expect } from "vitest";
import { createPageHasher } from "../../../src/pages/hashes/page-hasher.js";
import type { PageStaging, PageStore, PageVersion } from "../../../src/pages/store/page-store.js";

const hasher = await createPageHasher();

export interface SqliteFileOptions {
  readonly pageSize?: number;
  readonly rows?: number;
  /** Something that other files do not say. */
  readonly mark?: string;
}

/** The bytes of a real SQLite database. */
export function sqliteFile({ pageSize = 4096, rows = 200, mark = "" }: SqliteFileOptions = {}): Buffer {
  const database = new Database(":memory:");
  database.pragma(`page_size = ${pageSize}`);
  database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, mark TEXT, body TEXT)");
  const insert = database.prepare("INSERT INTO t (mark, body) VALUES (?, ?)");
  database.transaction(() => {
    for (let row = 0; row < rows; row += 1) insert.run(mark, `${row} `.repeat(40));
  })();
  const bytes = database.serialize();
  database.close();
  return bytes;
}

/** `bytes` after another write of SQLite. */
export function changedFile(bytes: Uint8Array, mark: string): Buffer {
  const database = new Database(Buffer.from(bytes));
  database.prepare("UPDATE t SET mark = ? WHERE id = (SELECT max(id) / 2 FROM t)").run(mark);
  const changed = database.serialize();
  database.close();
  return changed;
}

export function pagesOf(bytes: Uint8Array, unit: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / unit) }, (_, at) => bytes.subarray(at * unit, (at + 1) * unit));
}

export function hashOf(page: Uint8Array): Uint8Array {
  return hasher.hash(page);
}

/** The combined hash of all these pages. */
export function combinedOf(pages: readonly Uint8Array[]): Uint8Array {
  return hasher.combined(Buffer.concat(pages.map(hashOf)));
}

export interface PushOptions {
  readonly unit?: number;
  readonly generation?: number | null;
  readonly maxBytes?: number;
}

/** Begins a push and sends what the store does not know of it, at most `most` pages. @returns how many were sent */
export async function sendPages(
  staging: PageStaging,
  bytes: Uint8Array,
  unit = 4096,
  most: number = Number.POSITIVE_INFINITY,
): Promise<number> {
  const pages = pagesOf(bytes, unit);
  let sent = 0;
  if (pages.length === 0 || (await staging.compare(1, pages.length, combinedOf(pages))) === "equal") return sent;
  for (const [at, page] of pages.entries()) {
    if (sent >= most) break;
    if (await staging.has(at + 1, hashOf(page))) continue;
    await staging.put(at + 1, page);
    sent += 1;
  }
  return sent;
}

export async function beginPush(
  store: PageStore,
  id: string,
  bytes: Uint8Array,
  { unit = 4096, generation = null, maxBytes = 2 ** 30 }: PushOptions = {},
): Promise<PageStaging> {
  return await store.stage(id, { pageSize: unit, pageCount: Math.ceil(bytes.length / unit), generation, maxBytes });
}

/** A whole push. */
export async function push(
  store: PageStore,
  id: string,
  bytes: Uint8Array,
  options: PushOptions = {},
): Promise<{ readonly generation: number; readonly rootHash: Uint8Array; readonly sent: number }> {
  const staging = await beginPush(store, id, bytes, options);
  try {
    const sent = await sendPages(staging, bytes, options.unit);
    return { ...(await staging.commit()), sent };
  } finally {
    await staging.close();
  }
}

/** The whole of what is stored. */
export async function contentOf(version: PageVersion): Promise<Buffer> {
  return Buffer.from(await version.read(1, version.pageCount));
}

/** The whole of what is stored now. */
export async function storedContent(store: PageStore, id: string, unit?: number): Promise<Buffer> {
  const version = await store.read(id, unit);
  try {
    return await contentOf(version);
  } finally {
    await version.close();
  }
}

/** As `toEqual`, which takes seconds for a megabyte. */
export function expectBytes(found: Uint8Array, expected: Uint8Array): void {
  expect(hashOf(found)).toEqual(hashOf(expected));
}
