import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { encodeFrame } from "../protocol/encode-frame.js";
import type { Frame } from "../protocol/frame.js";
import { ProgressWatch } from "./progress-watch.js";
import { SYNC_ENDS, type SyncEnd, SyncInterrupted } from "./sync-end.js";

/** Frames that have come and wait for their turn; from one of both on nothing more is read. */
const MAX_WAITING_BYTES = 1024 * 1024;
const MAX_WAITING_FRAMES = 256;
/** What was sent and the system has not taken: beyond it no frame is handed out, since most frames have an answer. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** So little left that there should be more, or the connection runs dry. */
const NEARLY_DRAINED_BYTES = 512 * 1024;
/** What a message that waits costs beside its bytes, about. */
const MESSAGE_COST_BYTES = 512;
/** Proxies close connections that are silent, often after a minute. */
const PING_MS = 20_000;
/** Time for the peer to read the last words, while what it still sends is thrown away. */
const LINGER_MS = 5_000;

/** What a WebSocket of the server's is made of: a peer that breaks RFC 6455 itself is told why in an `error` frame, too, before the close that `ws` sends. */
export class PeerWebSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    // Our own closes and echoes of the peer's have a reason; those of a parser that has given up have a code alone.
    if (code !== undefined && reason === undefined && this.readyState === WebSocket.OPEN) {
      this.send(encodeFrame({ kind: "error", message: VIOLATIONS[code] ?? "This is no well-formed WebSocket frame" }));
    }
    super.close(code, reason);
  }
}

/** What {@link PeerWebSocket} says; `ws` closes with these. */
const VIOLATIONS: Readonly<Record<number, string>> = {
  1008: "The message has too many fragments: send it in one",
  1009: "The frame is larger than frames may be: send fewer pages in one batch",
};

/** One end of a connection that is read and written with bounded memory, whatever the other end does. For one user, who waits for one thing at a time. */
export class SyncSocket {
  /** Resolves when the connection is closed. Never rejects. */
  readonly closed: Promise<void>;
  readonly #ws: WebSocket;
  readonly #watch: ProgressWatch;
  readonly #ping: NodeJS.Timeout;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #unsentBytes = 0;
  #end: SyncEnd | null = null;
  #shielded = false;
  #finished = false;
  #wake: (() => void) | null = null;

  /** @param raw what the WebSocket runs on */
  constructor(ws: PeerWebSocket, raw: Duplex & { readonly bytesRead?: number }, idleMs: number) {
    this.#ws = ws;
    this.#watch = new ProgressWatch(
      idleMs,
      () => raw.bytesRead ?? 0,
      () => this.interrupt(SYNC_ENDS.idle(idleMs)),
    );
    this.#ping = setInterval(() => {
      // To a peer that takes nothing they would pile up.
      if (ws.readyState === WebSocket.OPEN && this.#unsentBytes === 0) ws.ping();
    }, PING_MS);
    ws.on("message", (data, isBinary) => this.#arrived(data as Buffer, isBinary));
    ws.on("error", () => this.interrupt(SYNC_ENDS.malformed));
    this.closed = new Promise((resolve) => {
      ws.once("close", () => {
        this.#end ??= SYNC_ENDS.gone;
        this.#stopClocks();
        this.#notify();
        resolve();
      });
    });
  }

  /** Whether the system has taken nearly all that was sent. */
  get drained(): boolean {
    return this.#unsentBytes <= NEARLY_DRAINED_BYTES;
  }

  /** The next frame, if it has come and what was sent has left room for an answer. @throws SyncInterrupted */
  take(): Uint8Array | undefined {
    this.check();
    if (!this.#receptive) return undefined;
    const frame = this.#waiting.shift();
    this.#waitingBytes -= frame?.byteLength ?? 0;
    if (this.#waiting.length === 0 && this.#ws.isPaused) this.#ws.resume();
    return frame;
  }

  /** @throws SyncInterrupted */
  check(): void {
    if (this.#end !== null) throw new SyncInterrupted(this.#end);
  }

  /** Until `take` gives a frame. @throws SyncInterrupted */
  arrival(): Promise<void> {
    return this.#until(() => this.#waiting.length > 0 && this.#receptive);
  }

  /** Until `take` gives a frame, or nearly all that was sent is taken. @throws SyncInterrupted */
  arrivalOrDrain(): Promise<void> {
    return this.#until(() => (this.#waiting.length > 0 && this.#receptive) || this.drained);
  }

  /** Until all that was sent is taken. @throws SyncInterrupted */
  flush(): Promise<void> {
    return this.#until(() => this.#unsentBytes === 0);
  }

  /** Does not wait. The bytes must not be changed any more. @throws SyncInterrupted */
  send(bytes: Uint8Array): void {
    this.check();
    const cost = bytes.byteLength + MESSAGE_COST_BYTES;
    this.#unsentBytes += cost;
    this.#ws.send(bytes, { binary: true }, (error) => {
      this.#unsentBytes -= cost;
      if (!error) this.#watch.touch();
      this.#notify();
    });
  }

  /** Our own work, for which the peer waits. */
  during<T>(work: Promise<T>): Promise<T> {
    return this.#watch.during(work);
  }

  /** From now on only the peer's going ends it: what has begun is finished, and the peer is told of it. */
  shield(): void {
    this.#shielded = true;
  }

  /** Makes whoever waits, or waits next, throw. Only the first counts. */
  interrupt(end: SyncEnd): void {
    if (this.#end !== null) return;
    if (this.#shielded) {
      if (end.outcome === "idle") this.cut();
      return;
    }
    this.#end = end;
    this.#notify();
  }

  /** Says the last words, closes, and lets go of what still comes. */
  finish(lastWords: Frame | null, closeCode: number, reason = ""): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#stopClocks();
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    if (this.#ws.readyState === WebSocket.OPEN) {
      if (lastWords !== null) this.#ws.send(encodeFrame(lastWords));
      this.#ws.close(closeCode, reason);
    }
    if (this.#ws.isPaused) this.#ws.resume();
    const linger = setTimeout(() => this.cut(), LINGER_MS);
    void this.closed.then(() => clearTimeout(linger));
  }

  /** Closes it at once. */
  cut(): void {
    this.#ws.terminate();
  }

  #arrived(data: Buffer, isBinary: boolean): void {
    if (this.#finished || this.#end !== null) return;
    if (!isBinary) {
      this.interrupt(SYNC_ENDS.text);
      return;
    }
    this.#watch.touch();
    this.#waiting.push(data);
    this.#waitingBytes += data.byteLength;
    // What is in the parser already still comes: less than one frame and 64 KiB.
    if (this.#waitingBytes >= MAX_WAITING_BYTES || this.#waiting.length >= MAX_WAITING_FRAMES) this.#ws.pause();
    this.#notify();
  }

  get #receptive(): boolean {
    return this.#unsentBytes <= MAX_UNSENT_BYTES;
  }

  async #until(ready: () => boolean): Promise<void> {
    for (;;) {
      this.check();
      if (ready()) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = null;
  }

  #stopClocks(): void {
    this.#watch.stop();
    clearInterval(this.#ping);
  }
}
