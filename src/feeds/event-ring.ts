import { randomBytes } from "node:crypto";
import type { LocatedChange } from "./change-locator.js";
import { SSE } from "./sse-wire.js";

/** One event as it goes over the wire, shared by all readers. */
export interface RingEntry {
  readonly change: LocatedChange;
  readonly bytes: Uint8Array;
  /** Bytes of all events up to and with this one, since the start. */
  readonly end: number;
}

/** The last events of a server, numbered from 1. The epoch names this run of it: numbers of another run mean nothing here. */
export class EventRing {
  readonly #epoch = randomBytes(8).toString("hex");
  readonly #entries: RingEntry[] = [];
  readonly #size: number;
  /** Number of the next event. */
  #next = 1;
  #end = 0;

  constructor(size: number) {
    this.#size = size;
  }

  get next(): number {
    return this.#next;
  }

  /** Number of the oldest event that is kept; `next` when there is none. */
  get first(): number {
    return Math.max(1, this.#next - this.#size);
  }

  get end(): number {
    return this.#end;
  }

  push(change: LocatedChange): void {
    const { collection, namespace, key, hash, timestamp } = change.event;
    const data = JSON.stringify({ collection, namespace, key, hash, timestamp });
    const bytes = Buffer.from(`id: ${this.idAt(this.#next)}\nevent: ${SSE.change}\ndata: ${data}\n\n`);
    this.#end += bytes.byteLength;
    this.#entries[this.#next % this.#size] = { change, bytes, end: this.#end };
    this.#next += 1;
  }

  /** `undefined` for an event that is no longer kept or has not come yet. */
  at(number: number): RingEntry | undefined {
    return number >= this.first && number < this.#next ? this.#entries[number % this.#size] : undefined;
  }

  /** The `id:` that says: got everything up to and with this number. */
  idAt(number: number): string {
    return `${this.#epoch}-${number}`;
  }

  /** The number to go on from after a `Last-Event-ID`, kept or not; `null` for one that this run has not given out. */
  resume(lastEventId: string | undefined): number | null {
    const [, epoch, digits] = /^([0-9a-f]{16})-(\d{1,15})$/.exec(lastEventId ?? "") ?? [];
    if (epoch !== this.#epoch) return null;
    const next = Number(digits) + 1;
    return next <= this.#next ? next : null;
  }
}
