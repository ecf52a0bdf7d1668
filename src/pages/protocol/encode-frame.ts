import type { Frame } from "./frame.js";

/** The bytes of a frame: `0x01` and its MessagePack map, integers as integers, bytes as `bin`. A copy of the caller's own. */
export function encodeFrame(_frame: Frame): Uint8Array {
  throw new Error("under construction");
}
