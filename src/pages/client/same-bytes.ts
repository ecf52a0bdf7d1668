import { Buffer } from "node:buffer";

/** Whether two hashes are the same; `null` equals nothing. */
export function sameBytes(one: Uint8Array | null, other: Uint8Array | null): boolean {
  return one !== null && other !== null && Buffer.compare(one, other) === 0;
}
