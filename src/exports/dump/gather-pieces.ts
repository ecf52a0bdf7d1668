import type { Dump } from "../formats/dump-format.js";
import type { DumpPosition } from "../formats/dump-position.js";
import type { DumpPiece } from "./dump-reader.js";

/** A message between threads should be worth it. */
const MIN_PIECE_BYTES = 192 * 1024;

/** All of a dump from a position on. The memory of each piece is whole `ArrayBuffer`s that nobody else uses: they can be handed to another thread. */
export function* gatherPieces(
  dump: Dump,
  from: DumpPosition,
): Generator<DumpPiece & { bytes: Uint8Array<ArrayBuffer> }> {
  for (let position: DumpPosition | null = from; position !== null; ) {
    const part = dump.part(position);
    let held: Buffer[] = [];
    let heldBytes = 0;
    try {
      let step = part.next();
      for (; step.done !== true; step = part.next()) {
        // What is held goes when the next has come: only then has the format let go of it, and the last piece carries the part's end.
        if (heldBytes >= MIN_PIECE_BYTES) {
          yield { bytes: ownBytes(held, heldBytes), end: null };
          held = [];
          heldBytes = 0;
        }
        held.push(step.value);
        heldBytes += step.value.length;
      }
      yield { bytes: ownBytes(held, heldBytes), end: step.value };
      position = step.value.next;
    } finally {
      part.return(undefined as never);
    }
  }
}

function ownBytes(chunks: readonly Buffer[], length: number): Uint8Array<ArrayBuffer> {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) {
    const { buffer } = only;
    // Node cuts small buffers from one large piece of memory that many share.
    if (buffer instanceof ArrayBuffer && buffer.byteLength === only.length) return new Uint8Array(buffer);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
