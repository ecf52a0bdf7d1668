import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import type { HelloExtension, Page, SyncCompleteFrame } from "../../../src/pages/protocol/frame.js";
import { waitFor } from "../../support/wait.js";
import type { RawPeer } from "./raw-peer.js";

export const FRESH: HelloExtension = { database: null, generation: null, force: false };

/** The bytes of a SQLite database of about so many pages. `mark` makes two of them differ, in a page in the middle and in one at the end. */
export function makeDatabase(path: string, options: { pages: number; pageSize?: number; mark?: string }): Buffer {
  const { pages, pageSize = 4096, mark = "" } = options;
  const database = new Database(path);
  database.pragma(`page_size = ${pageSize}`);
  database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, filling BLOB)");
  const insert = database.prepare("INSERT INTO t (filling) VALUES (?)");
  database.transaction(() => {
    for (let page = 2; page < pages; page += 1) {
      const marked = page === pages >> 1 || page === pages - 1;
      insert.run(Buffer.alloc(pageSize - 100, `${page}${marked ? mark : ""};`));
    }
  })();
  database.close();
  return readFileSync(path);
}

/** A push that names no hash at all: the server asks for everything. */
export async function pushWhole(
  peer: RawPeer,
  file: Uint8Array,
  pageSize: number,
  extension: Partial<HelloExtension> = {},
): Promise<SyncCompleteFrame> {
  const maxPage = file.byteLength / pageSize;
  peer.send({ kind: "hello", protocolVersion: 1, pageSize, maxPage, extension: { ...FRESH, ...extension } });
  await peer.next("hello_reply");
  peer.send({ kind: "complete" });
  return answerRequests(peer, file, pageSize);
}

/** Sends what the server asks for until it has all. */
export async function answerRequests(peer: RawPeer, file: Uint8Array, pageSize: number): Promise<SyncCompleteFrame> {
  for (;;) {
    const frame = await arrived(peer);
    if (frame.kind === "sync_complete") return frame;
    if (frame.kind !== "request_pages") throw new Error(`Unexpected: ${JSON.stringify(frame)}`);
    const pages = frame.pageNumbers.map((pageNo) => pageOf(file, pageSize, pageNo));
    const perBatch = Math.max(1, Math.floor((1024 * 1024) / pageSize));
    for (let next = 0; next < pages.length; next += perBatch) {
      peer.send({ kind: "page_data_batch", pages: pages.slice(next, next + perBatch) });
    }
  }
}

/** A pull by somebody who has nothing. */
export async function pullWhole(
  peer: RawPeer,
): Promise<{ readonly file: Buffer; readonly complete: SyncCompleteFrame }> {
  peer.send({ kind: "hello", protocolVersion: 1, pageSize: 4096, maxPage: 0, extension: FRESH });
  const { pageSize, maxPage } = await peer.next("hello_reply");
  peer.send({ kind: "complete" });
  const file = Buffer.alloc(pageSize * maxPage);
  for (;;) {
    const frame = await arrived(peer);
    if (frame.kind === "sync_complete") return { file, complete: frame };
    if (frame.kind !== "page_data_batch") throw new Error(`Unexpected: ${JSON.stringify(frame)}`);
    for (const { pageNo, data } of frame.pages) file.set(data, (pageNo - 1) * pageSize);
  }
}

export function pageOf(file: Uint8Array, pageSize: number, pageNo: number): Page {
  return { pageNo, data: file.subarray((pageNo - 1) * pageSize, pageNo * pageSize) };
}

async function arrived(peer: RawPeer) {
  await waitFor(() => peer.frames.length > 0 || peer.closed !== null, { everyMs: 1, what: "a frame or the close" });
  const frame = peer.frames.shift();
  if (frame === undefined) throw new Error(`Closed (${peer.closed?.code}) in the middle`);
  if (frame.kind === "error") throw new Error(frame.message);
  return frame;
}
