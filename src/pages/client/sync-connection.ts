import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { ReplicaError } from "../../errors.js";
import { MAX_FRAME_BYTES } from "../protocol/limits.js";
import { closedEarly, mapConnectionError, silent } from "./connection-error.js";
import { refusedUpgrade } from "./refused-upgrade.js";

export interface SyncConnectionOptions {
  /** `ws:` or `wss:` */
  readonly url: string;
  readonly token: string;
  /** A server that says nothing for so long, while it is waited for, is given up; and one that answers pings and nothing else ten times as long. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/** Frames that wait are held up to this; then the socket is not read. */
const MAX_WAITING_BYTES: number = 2 * MAX_FRAME_BYTES;
/** Before a barrier everything is read: of requests for single pages this is millions. */
const MAX_BARRIER_BYTES: number = 64 * 1024 * 1024;
/** With no more than this on its way out there is room for more. */
const ROOM_BYTES = 256 * 1024;
const CLOSE_PATIENCE_MS = 1_000;
/** A commit is announced by nothing: this many times `idleMs` are left for the longest, and for the slowest frame. */
const STALLED_AFTER = 10;

/**
 * One WebSocket to a page server. Frames that came wait in order until they are taken; while too many wait the socket is not read. While a call waits for
 * the server it is asked for a sign of life, so that one that is busy with a long commit is not given up, and one that is gone is.
 */
export class SyncConnection {
  readonly #socket: WebSocket;
  readonly #options: SyncConnectionOptions;
  readonly #waiting: Uint8Array[] = [];
  readonly #abort = (): void => {
    this.#fail(this.#options.signal.reason);
    this.#socket.terminate();
  };
  #tcp: Socket | undefined;
  #waitingBytes = 0;
  #failure: unknown;
  #wake: (() => void) | undefined;
  /** Frames that the system has taken. */
  #taken = 0;
  /** Frames that have come. */
  #came = 0;
  #pings = 0;
  #pongs = 0;
  #atBarrier = false;
  #closed = false;
  #closeReason = "";

  private constructor(options: SyncConnectionOptions) {
    this.#options = options;
    const { url, token, idleMs, signal } = options;
    this.#socket = new WebSocket(url, {
      headers: { authorization: `Bearer ${token}` },
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
      handshakeTimeout: idleMs,
      skipUTF8Validation: true,
      ...(isUnseen(url) && { generateMask: (mask: Buffer) => void mask.fill(0) }),
    });
    signal.addEventListener("abort", this.#abort, { once: true });
    this.#listen();
  }

  /** @throws `SYNC_UNREACHABLE`, `SYNC_REFUSED`, `INVALID_TOKEN`, `UNKNOWN_DATABASE`, the signal's reason */
  static async open(options: SyncConnectionOptions): Promise<SyncConnection> {
    options.signal.throwIfAborted();
    const connection = new SyncConnection(options);
    try {
      await connection.#until(() => connection.#socket.readyState === WebSocket.OPEN);
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** On the wire so far, the upgrade's HTTP included, TLS and TCP not. */
  get bytesSent(): number {
    return this.#tcp?.bytesWritten ?? 0;
  }

  get bytesReceived(): number {
    return this.#tcp?.bytesRead ?? 0;
  }

  /** Whether the system has taken (nearly) all that was sent. */
  get hasRoom(): boolean {
    return this.#socket.bufferedAmount <= ROOM_BYTES;
  }

  /** Does not wait for the socket. What cannot be sent any more is told by the next wait. */
  send(frame: Uint8Array): void {
    this.#socket.send(frame, { binary: true }, (error) => {
      if (!error) this.#taken += 1;
      this.#wake?.();
    });
  }

  /** The next frame that has come. */
  take(): Uint8Array | undefined {
    const frame = this.#waiting.shift();
    if (frame === undefined) return undefined;
    this.#waitingBytes -= frame.length;
    if (this.#socket.isPaused && this.#waitingBytes < MAX_WAITING_BYTES / 2) this.#socket.resume();
    return frame;
  }

  /** Until a frame has come. @throws what has ended the connection */
  frame(): Promise<void> {
    return this.#until(() => this.#waiting.length > 0);
  }

  /** Until a frame has come or there is room. @throws what has ended the connection */
  frameOrRoom(): Promise<void> {
    return this.#until(() => this.#waiting.length > 0 || this.hasRoom);
  }

  /** Until the server has answered a ping that is sent now. Frames are read meanwhile, up to 64 MiB. @throws what has ended the connection */
  async barrier(): Promise<void> {
    const awaited = this.#ping();
    this.#atBarrier = true;
    if (this.#socket.isPaused) this.#socket.resume();
    try {
      await this.#until(() => this.#pongs >= awaited);
    } finally {
      this.#atBarrier = false;
    }
  }

  /** Why the server closes the connection, which it does now; empty where it gives no reason, or does not do it soon. Never rejects. */
  async closeReason(): Promise<string> {
    if (this.#socket.isPaused) this.#socket.resume();
    if (!this.#closed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_PATIENCE_MS);
        this.#socket.once("close", () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.#closeReason;
  }

  /** In good order, or by force where the server takes no part in it. Never rejects. */
  async close(): Promise<void> {
    this.#options.signal.removeEventListener("abort", this.#abort);
    if (this.#closed) return;
    if (this.#socket.isPaused) this.#socket.resume();
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_PATIENCE_MS);
    await new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
    clearTimeout(timer);
  }

  #listen(): void {
    const socket = this.#socket;
    const { url } = this.#options;
    socket.on("upgrade", (response) => {
      this.#tcp = response.socket;
    });
    socket.on("unexpected-response", (_request, response) => {
      void refusedUpgrade(url, response).then((error) => {
        this.#fail(error);
        socket.terminate();
      });
    });
    socket.on("open", () => this.#wake?.());
    socket.on("message", (data: Buffer, isBinary) => {
      if (this.#failure !== undefined) return;
      if (!isBinary) {
        this.#fail(new ReplicaError("PAGE_PROTOCOL", "The page server sent a text message; frames are binary"));
        return;
      }
      this.#came += 1;
      this.#waiting.push(data);
      this.#waitingBytes += data.length;
      if (this.#waitingBytes >= MAX_WAITING_BYTES && !this.#atBarrier) socket.pause();
      else if (this.#waitingBytes >= MAX_BARRIER_BYTES) this.#flooded();
      this.#wake?.();
    });
    socket.on("pong", (data) => {
      this.#pongs = Math.max(this.#pongs, Number(data.toString("latin1")) || 0);
      this.#wake?.();
    });
    socket.on("error", (error) => this.#fail(mapConnectionError(error, url, this.#tcp !== undefined)));
    socket.on("close", (code, reason) => {
      this.#closed = true;
      this.#closeReason = reason.toString("utf8");
      this.#fail(closedEarly(url, code, reason.toString("utf8")));
    });
  }

  #flooded(): void {
    this.#waiting.splice(0);
    this.#fail(
      new ReplicaError("PAGE_PROTOCOL", "The page server sent frames without end instead of answering a ping"),
    );
    this.#socket.terminate();
  }

  #ping(): number {
    this.#pings += 1;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping(String(this.#pings));
    return this.#pings;
  }

  /** The first reason counts: what follows it is its consequence. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  /** What has come before the end of a connection is still taken first. */
  async #until(fact: () => boolean): Promise<void> {
    const { idleMs, url } = this.#options;
    const isSilent = lasting(() => `${this.bytesReceived} ${this.#taken}`, idleMs);
    const isStalled = lasting(() => `${this.#came} ${this.#taken}`, STALLED_AFTER * idleMs);
    const timer = setInterval(() => {
      const silence = isSilent() && `has said nothing for ${idleMs / 1_000} seconds`;
      const given = silence || (isStalled() && stalledFor((STALLED_AFTER * idleMs) / 1_000));
      if (given === false) return void this.#ping();
      this.#fail(silent(url, given));
      this.#socket.terminate();
    }, idleMs / 4);
    try {
      while (!fact()) {
        if (this.#failure !== undefined) throw this.#failure;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearInterval(timer);
      this.#wake = undefined;
    }
  }
}

/** Whether what it looks at has been the same for so long, each time that it is asked. */
function lasting(look: () => string, ms: number): () => boolean {
  let seen = look();
  let since = performance.now();
  return () => {
    const now = look();
    if (now !== seen) since = performance.now();
    seen = now;
    return performance.now() - since >= ms;
  };
}

function stalledFor(seconds: number): string {
  return `is there, but has not gone on with the sync for ${seconds} seconds`;
}

/**
 * Whether nobody between the two ends sees the frames. Masks keep proxies on the way from taking a payload for HTTP
 * (https://www.rfc-editor.org/rfc/rfc6455#section-10.3); where there can be none, a mask of zeros, which changes nothing, spares both ends most of their work.
 */
function isUnseen(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "wss:" || hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
