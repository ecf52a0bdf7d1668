import { decode, encode } from "@msgpack/msgpack";

/** A frame of the original protocol as it stands on the wire: nothing is renamed and nothing is checked. */
export interface PlainFrame {
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: an original peer takes what comes.
  readonly data?: any;
}

/** `0x01` and the map. */
export function plainEncode(frame: PlainFrame): Uint8Array {
  return Buffer.concat([Buffer.from([1]), encode(frame)]);
}

export function plainDecode(bytes: Uint8Array): PlainFrame {
  if (bytes[0] !== 1) throw new Error(`a frame that begins with ${bytes[0]}`);
  return decode(bytes.subarray(1)) as PlainFrame;
}
