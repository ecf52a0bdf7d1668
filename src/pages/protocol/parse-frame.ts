import { Decoder } from "@msgpack/msgpack";
import { ReplicaError } from "../../errors.js";
import type { Frame, HelloExtension, HelloReplyExtension, SyncCompleteExtension } from "./frame.js";
import { MAX_FRAME_BYTES } from "./limits.js";
import { verifyMessagePack } from "./verify-message-pack.js";
import { WireMap } from "./wire-map.js";
import { EXTENSION_KEY, FRAME_BYTE, KEY, KINDS } from "./wire-names.js";

const MAX_STRING_BYTES = 65_536;
const MAX_EXTENSION_TYPE_BYTES = 1024;

// Sizes that are not there were refused before the decoder sees them: see verifyMessagePack.
const decoder: Decoder = new Decoder({
  keyDecoder: null,
  maxStrLength: MAX_STRING_BYTES,
  maxBinLength: MAX_FRAME_BYTES,
  maxArrayLength: 262_144,
  maxMapLength: 64,
  maxExtLength: MAX_EXTENSION_TYPE_BYTES,
});

/**
 * The frame in these bytes, as one binary WebSocket message brought them. Bytes inside the frame are views of `bytes`. Keys that are not known are
 * ignored, of a key that comes twice the last one counts.
 * @throws `PAGE_PROTOCOL` for anything else than one whole frame
 */
export function parseFrame(bytes: Uint8Array): Frame {
  if (bytes.length > MAX_FRAME_BYTES)
    throw refused(`A frame of ${bytes.length} bytes; ${MAX_FRAME_BYTES} are the most.`);
  if (bytes[0] !== FRAME_BYTE) throw refused("A frame begins with the byte 0x01.");
  verifyMessagePack(bytes, 1);
  return frameOf(new WireMap("frame", decode(bytes)));
}

function decode(bytes: Uint8Array): unknown {
  // Of a Buffer the decoder would give Buffers, and those are no plain Uint8Arrays to whoever compares or clones them.
  const message = new Uint8Array(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1);
  try {
    return decoder.decode(message);
  } catch (cause) {
    throw new ReplicaError("PAGE_PROTOCOL", "The frame cannot be read: it is not the MessagePack that it should be.", {
      cause,
    });
  }
}

function frameOf(map: WireMap): Frame {
  const kind = map.string(KEY.kind);
  if (!KINDS.has(kind)) throw refused("The `kind` of a frame is none that the protocol knows.");
  if (kind === "complete") return { kind };
  const data = map.map(kind, KEY.data);
  switch (kind) {
    case "hello":
      return { kind, ...helloFacts(data), extension: helloExtension(data) };
    case "hello_reply":
      return { kind, ...helloFacts(data), extension: helloReplyExtension(data) };
    case "page_hash":
      return { kind, pageNo: data.pageNo(KEY.pageNo), hash: data.hash(KEY.hash) };
    case "page_hash_batch":
      return hashBatch(data);
    case "request_page":
    case "hash_mismatch":
      return { kind, pageNo: data.pageNo(KEY.pageNo) };
    case "request_pages":
    case "hash_mismatch_batch":
      return { kind, pageNumbers: data.pageNumbers(KEY.pageNumbers) };
    case "page_data":
      return { kind, ...pageOf(data) };
    case "page_data_batch":
      return { kind, pages: data.maps(KEY.pages).map(pageOf) };
    case "sync_complete":
      return {
        kind,
        pagesTransferred: data.integer(KEY.pagesTransferred),
        bytesTransferred: data.integer(KEY.bytesTransferred),
        extension: syncCompleteExtension(data),
      };
    case "error":
      return { kind, message: data.string(KEY.message) };
    default:
      throw refused("The `kind` of a frame is none that the protocol knows.");
  }
}

function helloFacts(data: WireMap): { protocolVersion: number; pageSize: number; maxPage: number } {
  return {
    protocolVersion: data.integer(KEY.protocolVersion),
    pageSize: data.integer(KEY.pageSize),
    maxPage: data.maxPage(KEY.maxPage),
  };
}

function hashBatch(data: WireMap): Frame {
  const startPage = data.pageNo(KEY.startPage);
  const endPage = data.pageNo(KEY.endPage);
  if (endPage < startPage) throw refused("`page_hash_batch` ends before it starts.");
  return { kind: "page_hash_batch", startPage, endPage, combinedHash: data.hash(KEY.combinedHash) };
}

function pageOf(data: WireMap): { pageNo: number; data: Uint8Array } {
  return { pageNo: data.pageNo(KEY.pageNo), data: data.bytes(KEY.data) };
}

function isExtended(data: WireMap): boolean {
  return !data.isNull(EXTENSION_KEY.starfish) && data.integer(EXTENSION_KEY.starfish) >= 1;
}

function helloExtension(data: WireMap): HelloExtension | null {
  if (!isExtended(data)) return null;
  return {
    database: data.isNull(EXTENSION_KEY.database) ? null : data.name(EXTENSION_KEY.database),
    generation: data.isNull(EXTENSION_KEY.generation) ? null : data.integer(EXTENSION_KEY.generation),
    force: !data.isNull(EXTENSION_KEY.force) && data.boolean(EXTENSION_KEY.force),
    ...(!data.isNull(EXTENSION_KEY.rootHash) && { rootHash: data.hash(EXTENSION_KEY.rootHash) }),
    ...(!data.isNull(EXTENSION_KEY.direction) && { direction: directionOf(data) }),
  };
}

function directionOf(data: WireMap): "push" | "pull" {
  const direction = data.name(EXTENSION_KEY.direction);
  if (direction === "push" || direction === "pull") return direction;
  throw refused("`direction` is neither `push` nor `pull`.");
}

function helloReplyExtension(data: WireMap): HelloReplyExtension | null {
  if (!isExtended(data)) return null;
  return {
    database: data.name(EXTENSION_KEY.database),
    generation: data.integer(EXTENSION_KEY.generation),
    rootHash: rootHashOf(data),
  };
}

function syncCompleteExtension(data: WireMap): SyncCompleteExtension | null {
  if (!isExtended(data)) return null;
  return { generation: data.integer(EXTENSION_KEY.generation), rootHash: rootHashOf(data) };
}

function rootHashOf(data: WireMap): Uint8Array | null {
  return data.isNull(EXTENSION_KEY.rootHash) ? null : data.hash(EXTENSION_KEY.rootHash);
}

function refused(message: string): ReplicaError {
  return new ReplicaError("PAGE_PROTOCOL", message);
}
