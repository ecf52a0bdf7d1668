import type { EventRing } from "./event-ring.js";
import type { ReadAccess } from "./read-access.js";
import { type ReadyMessage, SSE } from "./sse-wire.js";

/** Events that wait for one reader go out in pieces of about this size. */
const PIECE_BYTES = 16 * 1024;
/** A connection that takes nothing for so long is slow; a burst of events fills any connection for a moment. */
const SLOW_AFTER_MS = 1_000;
const HEARTBEAT: Uint8Array = Buffer.from(":\n\n");

export interface ReaderStreamOptions {
  readonly ring: EventRing;
  readonly access: ReadAccess;
  readonly lastEventId: string | undefined;
  readonly heartbeatMs: number;
  /** Bytes of events published since it connected that may wait for a reader whose connection takes nothing. */
  readonly maxPendingBytes: number;
  /** Milliseconds that the stream lives. */
  readonly maxAgeMs: number;
  /** Unix milliseconds after which nothing more is sent. */
  readonly expiresAtMs: number;
  /** Ends the connection where it is full and closing the stream would reach nobody. */
  readonly kill: (() => void) | undefined;
  /** Told when an access check failed; the event is not sent. */
  readonly onError: (error: unknown) => void;
  /** Called once, when the stream has ended, whoever ended it. */
  readonly onEnd: () => void;
}

/**
 * One reader's answer. It keeps no events of its own, only its place in the server's ring, and takes from there as fast as the connection
 * does: however slow it is, it costs no memory.
 */
export class ReaderStream {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #options: ReaderStreamOptions;
  readonly #endsAt: number;
  readonly #connectedAt: number;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Number of the next event to look at. */
  #place: number;
  /** The last number that the reader knows of. */
  #told: number;
  /** `ready` is to be sent, with this gap. */
  #ready: boolean | null;
  #beat = false;
  /** Whether the connection has room: it has asked and not been answered. */
  #asked = false;
  /** When the connection last took something, on the monotonic clock. */
  #tookAt = performance.now();
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(options: ReaderStreamOptions) {
    const { ring, lastEventId, maxAgeMs } = options;
    this.#options = options;
    const resumed = ring.resume(lastEventId);
    this.#ready = resumed === null;
    this.#place = resumed ?? ring.next;
    this.#told = this.#place - 1;
    this.#connectedAt = ring.end;
    this.#endsAt = performance.now() + maxAgeMs;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#leave(),
      },
      // Nothing is prepared before the connection asks for it.
      { highWaterMark: 0 },
    );
  }

  /** Something was published. */
  published(): void {
    if (this.#asked) this.#wake?.();
    else this.#dropIfSlow();
  }

  /** A heartbeat is due. */
  beat(): void {
    this.#beat = true;
    if (this.#isOver()) this.end();
    else this.published();
  }

  /** Ends the stream in order. */
  end(): void {
    if (this.#ended) return;
    // A connection that has no room would not hear of an end.
    if (!this.#asked) {
      this.#kill();
      return;
    }
    this.#leave();
    this.#controller?.close();
  }

  #kill(): void {
    if (this.#ended) return;
    this.#leave();
    const { kill } = this.#options;
    if (kill) kill();
    else this.#controller?.error(new Error("A reader of the change feed was too slow"));
  }

  #leave(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#wake?.();
    this.#options.onEnd();
  }

  #dropIfSlow(): void {
    const { ring, maxPendingBytes } = this.#options;
    if (performance.now() - this.#tookAt < SLOW_AFTER_MS) return;
    const next = ring.at(this.#place);
    const start = next ? next.end - next.bytes.byteLength : ring.end;
    // A replay is not its fault: what was published since it connected counts.
    const waiting = ring.end - Math.max(start, this.#connectedAt);
    if (this.#place < ring.first || waiting > maxPendingBytes) this.#kill();
  }

  #isOver(): boolean {
    return performance.now() >= this.#endsAt || Date.now() >= this.#options.expiresAtMs;
  }

  async #pull(): Promise<void> {
    this.#asked = true;
    while (!this.#ended) {
      const piece = await this.#nextPiece();
      if (this.#ended) return;
      if (this.#isOver()) return this.end();
      if (piece !== null) {
        this.#asked = false;
        this.#tookAt = performance.now();
        this.#controller?.enqueue(piece);
        return;
      }
      // Without a pause after this look, so that nothing published meanwhile is slept through.
      if (this.#place < this.#options.ring.next || this.#beat) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  /** What can be sent now; `null` when there is nothing. */
  async #nextPiece(): Promise<Uint8Array | null> {
    const { ring } = this.#options;
    // More has been published since than the ring holds.
    if (this.#place < ring.first) {
      this.#place = ring.next;
      this.#ready = true;
    }
    if (this.#ready !== null) return this.#takeReady(this.#ready);
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for (let entry = ring.at(this.#place); entry && bytes < PIECE_BYTES; entry = ring.at(this.#place)) {
      const readable = this.#mayRead(entry.change);
      const send = typeof readable === "boolean" ? readable : await readable;
      if (send) {
        pieces.push(entry.bytes);
        bytes += entry.bytes.byteLength;
        this.#told = this.#place;
      }
      this.#place += 1;
    }
    if (pieces.length > 0) return pieces.length === 1 ? (pieces[0] ?? null) : Buffer.concat(pieces);
    return this.#beat ? this.#takeBeat() : null;
  }

  #mayRead(change: Parameters<ReadAccess["mayRead"]>[0]): boolean | Promise<boolean> {
    const { access, onError } = this.#options;
    const readable = access.mayRead(change);
    if (typeof readable === "boolean") return readable;
    return readable.catch((error: unknown) => {
      onError(error);
      return false;
    });
  }

  #takeReady(gap: boolean): Uint8Array {
    const { ring, heartbeatMs } = this.#options;
    this.#ready = null;
    this.#beat = false;
    this.#told = this.#place - 1;
    const message: ReadyMessage = { gap, heartbeatMs };
    return Buffer.from(`id: ${ring.idAt(this.#told)}\nevent: ${SSE.ready}\ndata: ${JSON.stringify(message)}\n\n`);
  }

  /** After events that this reader may not see a heartbeat moves its `Last-Event-ID` on, so that they are no gap after a reconnect. */
  #takeBeat(): Uint8Array {
    this.#beat = false;
    if (this.#told === this.#place - 1) return HEARTBEAT;
    this.#told = this.#place - 1;
    return Buffer.from(`id: ${this.#options.ring.idAt(this.#told)}\ndata:\n\n`);
  }
}
