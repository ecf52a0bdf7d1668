import { Encoder } from "@msgpack/msgpack";
import type { Frame } from "./frame.js";
import { EXTENSION_KEY, FRAME_BYTE, KEY } from "./wire-names.js";

/** Version of the extensions that we speak. */
const STARFISH_VERSION = 1;

type WireMap = Record<string, unknown>;

const encoder: Encoder = new Encoder({ ignoreUndefined: true });

/** The bytes of a frame: `0x01` and its MessagePack map, integers as integers, bytes as `bin`. They are the caller's own. */
export function encodeFrame(frame: Frame): Uint8Array {
  const data = dataOf(frame);
  const map = encoder.encodeSharedRef(
    data === null ? { [KEY.kind]: frame.kind } : { [KEY.kind]: frame.kind, [KEY.data]: data },
  );
  // Zeroing a megabyte that is written over at once takes as long as writing it.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(1 + map.length).buffer);
  bytes[0] = FRAME_BYTE;
  bytes.set(map, 1);
  return bytes;
}

function dataOf(frame: Frame): WireMap | null {
  switch (frame.kind) {
    case "hello":
    case "hello_reply":
      return {
        [KEY.protocolVersion]: frame.protocolVersion,
        [KEY.pageSize]: frame.pageSize,
        [KEY.maxPage]: frame.maxPage,
        ...extensionOf(frame),
      };
    case "page_hash":
      return { [KEY.pageNo]: frame.pageNo, [KEY.hash]: frame.hash };
    case "page_hash_batch":
      return {
        [KEY.startPage]: frame.startPage,
        [KEY.endPage]: frame.endPage,
        [KEY.combinedHash]: frame.combinedHash,
      };
    case "request_page":
    case "hash_mismatch":
      return { [KEY.pageNo]: frame.pageNo };
    case "request_pages":
    case "hash_mismatch_batch":
      return { [KEY.pageNumbers]: frame.pageNumbers };
    case "page_data":
      return { [KEY.pageNo]: frame.pageNo, [KEY.data]: frame.data };
    case "page_data_batch":
      return { [KEY.pages]: frame.pages.map((page) => ({ [KEY.pageNo]: page.pageNo, [KEY.data]: page.data })) };
    case "complete":
      return null;
    case "sync_complete":
      return {
        [KEY.pagesTransferred]: frame.pagesTransferred,
        [KEY.bytesTransferred]: frame.bytesTransferred,
        ...extensionOf(frame),
      };
    case "error":
      return { [KEY.message]: frame.message };
  }
}

function extensionOf(frame: Extract<Frame, { readonly extension: unknown }>): WireMap {
  if (frame.extension === null) return {};
  const starfish = { [EXTENSION_KEY.starfish]: STARFISH_VERSION };
  switch (frame.kind) {
    case "hello":
      return {
        ...starfish,
        [EXTENSION_KEY.database]: frame.extension.database,
        [EXTENSION_KEY.generation]: frame.extension.generation,
        [EXTENSION_KEY.rootHash]: frame.extension.rootHash,
        [EXTENSION_KEY.force]: frame.extension.force,
        [EXTENSION_KEY.direction]: frame.extension.direction,
      };
    case "hello_reply":
      return {
        ...starfish,
        [EXTENSION_KEY.database]: frame.extension.database,
        [EXTENSION_KEY.generation]: frame.extension.generation,
        [EXTENSION_KEY.rootHash]: frame.extension.rootHash,
      };
    case "sync_complete":
      return {
        ...starfish,
        [EXTENSION_KEY.generation]: frame.extension.generation,
        [EXTENSION_KEY.rootHash]: frame.extension.rootHash,
      };
  }
}
