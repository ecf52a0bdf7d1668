import { createHash } from "node:crypto";
import type { ArtifactStore, ArtifactWriter, StoredPart } from "../../../src/exports/artifacts/artifact-store.js";
import type { ByteRange } from "../../../src/exports/export-job.js";

const PIECE_BYTES = 700_001;

/** Bytes that look random and depend on the seed alone. */
export function someBytes(seed: number, bytes: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  for (let i = 0; i < words.length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, bytes);
}

/** Writes a whole part, in pieces of its own memory, as an engine does. */
export async function writePart(writer: ArtifactWriter, number: number, bytes: Uint8Array): Promise<StoredPart> {
  const sink = writer.part(number);
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) await sink.write(bytes.slice(at, at + PIECE_BYTES));
  return storedPart(number, bytes, await sink.finish());
}

export function storedPart(number: number, bytes: Uint8Array, receipt: string | null): StoredPart {
  return { number, bytes: bytes.byteLength, sha256: createHash("sha256").update(bytes).digest("hex"), receipt };
}

/** What a store gives of a finished artifact. */
export async function readAll(
  store: ArtifactStore,
  location: string,
  range: ByteRange | null = null,
  signal: AbortSignal = new AbortController().signal,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of store.read(location, range, signal)) pieces.push(piece);
  return Buffer.concat(pieces);
}
