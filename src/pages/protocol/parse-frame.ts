import type { Frame } from "./frame.js";

/**
 * The frame in these bytes, as one binary WebSocket message brought them. Bytes inside the frame are views of `bytes`. Keys that are not known are
 * ignored, of a key that comes twice the last one counts.
 * @throws `PAGE_PROTOCOL` for anything else than one whole frame
 */
export function parseFrame(_bytes: Uint8Array): Frame {
  throw new Error("under construction");
}
