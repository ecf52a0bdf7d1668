/** How many pieces are asked for before the first of them is taken. */
const SLOTS = 4;
const SLOT_BYTES = 128 * 1024;

/**
 * The memory through which the pieces of a dump go from its thread to its reader: so much and no more is written ahead, and none of it is made anew.
 */
export class PieceSlots {
  readonly memory: SharedArrayBuffer;

  /** @param memory of the `PieceSlots` on the other side */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(SLOTS * SLOT_BYTES)) {
    this.memory = memory;
  }

  get count(): number {
    return this.memory.byteLength / SLOT_BYTES;
  }

  slot(index: number): Uint8Array {
    return new Uint8Array(this.memory, index * SLOT_BYTES, SLOT_BYTES);
  }
}
