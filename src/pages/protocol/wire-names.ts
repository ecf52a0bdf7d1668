import type { Frame } from "./frame.js";

/** The first byte of every frame. */
export const FRAME_BYTE = 0x01;

/** What `kind` may say. */
export const KINDS: ReadonlySet<string> = new Set<Frame["kind"]>([
  "hello",
  "hello_reply",
  "page_hash",
  "page_hash_batch",
  "request_page",
  "request_pages",
  "hash_mismatch",
  "hash_mismatch_batch",
  "page_data",
  "page_data_batch",
  "complete",
  "sync_complete",
  "error",
]);

/** Keys in frames, as they stand on the wire (WIRE.md, section 2). */
export const KEY = {
  kind: "kind",
  data: "data",
  protocolVersion: "protocol_version",
  pageSize: "page_size",
  maxPage: "max_page",
  pageNo: "page_no",
  hash: "hash",
  startPage: "start_page",
  endPage: "end_page",
  combinedHash: "combined_hash",
  pageNumbers: "page_numbers",
  pages: "pages",
  pagesTransferred: "pages_transferred",
  bytesTransferred: "bytes_transferred",
  message: "message",
} as const;

/** Keys that our own peers add, which others ignore. */
export const EXTENSION_KEY = {
  /** Version of the extensions. Whoever sends it speaks them. */
  starfish: "starfish",
  database: "database",
  generation: "generation",
  force: "force",
  direction: "direction",
  rootHash: "root_hash",
} as const;
