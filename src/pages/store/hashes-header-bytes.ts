import type { PageHasher } from "../hashes/page-hasher.js";
import { HASH_BYTES } from "../hashes/page-hashes.js";
import { HASHES_OFFSET, type HashesHeader } from "./hashes-header.js";

const MAGIC = Buffer.from("starfish hashes\0", "latin1");
const FORMAT = 1;
const CHECKED = HASHES_OFFSET - HASH_BYTES;

export function encodeHashesHeader(header: HashesHeader, hasher: PageHasher): Uint8Array {
  const bytes = Buffer.alloc(HASHES_OFFSET);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(FORMAT, 16);
  bytes.writeUInt32LE(header.pageSize, 20);
  bytes.writeBigUInt64LE(BigInt(header.generation), 24);
  bytes.writeBigUInt64LE(BigInt(header.pageCount), 32);
  bytes.writeBigUInt64LE(BigInt(header.bytes), 40);
  bytes.writeBigInt64LE(header.mtimeNs, 48);
  bytes.set(header.rootHash, 56);
  bytes.set(hasher.hash(bytes.subarray(0, CHECKED)), CHECKED);
  return bytes;
}

/** `null` where it is not whole, or of another version of this program. */
export function decodeHashesHeader(bytes: Buffer, hasher: PageHasher): HashesHeader | null {
  if (bytes.length < HASHES_OFFSET || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  if (bytes.readUInt32LE(16) !== FORMAT) return null;
  if (!bytes.subarray(CHECKED, HASHES_OFFSET).equals(hasher.hash(bytes.subarray(0, CHECKED)))) return null;
  return {
    pageSize: bytes.readUInt32LE(20),
    generation: Number(bytes.readBigUInt64LE(24)),
    pageCount: Number(bytes.readBigUInt64LE(32)),
    bytes: Number(bytes.readBigUInt64LE(40)),
    mtimeNs: bytes.readBigInt64LE(48),
    rootHash: new Uint8Array(bytes.subarray(56, 56 + HASH_BYTES)),
  };
}
