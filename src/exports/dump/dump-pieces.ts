import type { Dump } from "../formats/dump-format.js";
import type { DumpPartEnd, DumpPosition } from "../formats/dump-position.js";

/** What has been written, and where a part ends with it. */
export interface WrittenPiece {
  readonly length: number;
  readonly end: DumpPartEnd | null;
}

/** All of a dump from a position on, cut to the size of what it is written into. */
export class DumpPieces {
  readonly #dump: Dump;
  #position: DumpPosition | null;
  #part: Generator<Buffer, DumpPartEnd, void> | undefined;
  /** What did not fit. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(dump: Dump, from: DumpPosition) {
    this.#dump = dump;
    this.#position = from;
  }

  /** Fills `target` as far as this part goes. `null` after the last part. */
  write(target: Uint8Array): WrittenPiece | null {
    if (this.#position === null) return null;
    this.#part ??= this.#dump.part(this.#position);
    let length = 0;
    for (;;) {
      const fitting = this.#rest.subarray(0, target.length - length);
      target.set(fitting, length);
      length += fitting.length;
      this.#rest = this.#rest.subarray(fitting.length);
      if (length === target.length) return { length, end: null };
      const step = this.#part.next();
      if (step.done === true) {
        this.#part = undefined;
        this.#position = step.value.next;
        return { length, end: step.value };
      }
      this.#rest = step.value;
    }
  }

  /** Leaves it. */
  close(): void {
    this.#part?.return(undefined as never);
    this.#part = undefined;
    this.#position = null;
  }
}
