import { connect, type Socket } from "node:net";
import { realDelay, realNow, realTurn } from "./real-time.js";

/** What a proxy does to the bytes of its connections; read anew for every piece. */
export type LinkFault =
  | { readonly kind: "pass" }
  | { readonly kind: "black-hole" }
  | { readonly kind: "drip"; readonly bytes: number; readonly everyMs: number }
  | { readonly kind: "reset-after"; readonly bytes: number };

/** What all connections of one proxy share. */
export interface LinkRules {
  fault: LinkFault;
  latencyMs: number;
  target: { readonly host: string; readonly port: number };
  readonly bytes: { up: number; down: number };
}

const MAX_QUEUED_BYTES = 1024 * 1024;

/** Linux shows a reset as a plain end to a reader that has not yet read what came before it: time for a reader in another process. */
const PAUSE_BEFORE_RESET_MS = 20;

/** One connection through a proxy: from a client to the target and back. */
export class TcpLink {
  /** Resolves when the client's side is closed. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #rules: LinkRules;
  readonly #upstream: Socket | undefined;
  readonly #closed = new AbortController();
  #fault: LinkFault;
  #sentUnderFault = 0;
  /** Once bytes are lost the rest is no longer the same stream: a swallowed connection stays so. */
  #swallowed = false;

  constructor(client: Socket, rules: LinkRules) {
    this.#client = client;
    this.#rules = rules;
    this.#fault = rules.fault;
    client.setNoDelay(true);
    this.closed = new Promise((resolve) => {
      client.once("close", () => {
        this.#end();
        resolve();
      });
    });
    client.on("error", () => this.#end());
    client.on("data", (piece) => {
      rules.bytes.up += piece.byteLength;
    });
    if (rules.fault.kind === "black-hole") {
      this.#swallowed = true;
      this.#pump(client, (piece) => this.#up(piece));
      return;
    }
    const upstream = connect({ ...rules.target, allowHalfOpen: true, noDelay: true });
    this.#upstream = upstream;
    upstream.on("error", () => reset(client));
    upstream.once("close", () => {
      // Closed in the middle; after a proper end the client has been told by `#down(undefined)`.
      if (!upstream.readableEnded) reset(client);
    });
    this.#pump(client, (piece) => this.#up(piece));
    this.#pump(upstream, (piece) => this.#down(piece));
  }

  /** Whether it lost bytes, or would have: nothing will ever come of it. */
  get dead(): boolean {
    return this.#swallowed;
  }

  /** Ends both sides now: `reset` as a crash does (RST), `end` as a close does (FIN). */
  cut(how: "reset" | "end"): void {
    if (how === "reset") reset(this.#client);
    else this.#client.destroy();
    this.#end();
  }

  #end(): void {
    this.#closed.abort();
    this.#client.destroy();
    this.#upstream?.destroy();
  }

  /** Hands on what arrives, in order, each piece `latencyMs` after its arrival, with back-pressure. `undefined` is the end. */
  #pump(from: Socket, deliver: (piece: Buffer | undefined) => Promise<void>): void {
    const queue: { piece: Buffer | undefined; dueAt: number }[] = [];
    let queuedBytes = 0;
    let busy = false;
    const run = async () => {
      if (busy) return;
      busy = true;
      for (let next = queue.shift(); next !== undefined && !this.#closed.signal.aborted; next = queue.shift()) {
        const waitMs = next.dueAt - realNow();
        if (waitMs > 0) await realDelay(waitMs, this.#closed.signal);
        if (!this.#closed.signal.aborted) await deliver(next.piece);
        queuedBytes -= next.piece?.byteLength ?? 0;
        if (from.isPaused() && queuedBytes < MAX_QUEUED_BYTES) from.resume();
      }
      busy = false;
    };
    const add = (piece: Buffer | undefined) => {
      queue.push({ piece, dueAt: this.#rules.latencyMs > 0 ? realNow() + this.#rules.latencyMs : 0 });
      queuedBytes += piece?.byteLength ?? 0;
      if (queuedBytes >= MAX_QUEUED_BYTES) from.pause();
      void run();
    };
    from.on("data", add);
    from.once("end", () => add(undefined));
  }

  async #up(piece: Buffer | undefined): Promise<void> {
    if (this.#swallows() || this.#upstream === undefined) {
      if (piece === undefined) this.#end();
      return;
    }
    if (piece === undefined) this.#upstream.end();
    else await write(this.#upstream, piece);
  }

  async #down(piece: Buffer | undefined): Promise<void> {
    if (this.#swallows()) return;
    if (piece === undefined) {
      this.#client.end();
      return;
    }
    const fault = this.#rules.fault;
    if (fault !== this.#fault) {
      this.#fault = fault;
      this.#sentUnderFault = 0;
    }
    if (fault.kind === "reset-after") {
      const left = fault.bytes - this.#sentUnderFault;
      if (piece.byteLength <= left) return this.#send(piece);
      if (left > 0) await this.#send(piece.subarray(0, left));
      await realDelay(PAUSE_BEFORE_RESET_MS, this.#closed.signal);
      await realTurn();
      return this.cut("reset");
    }
    if (fault.kind === "drip") return this.#drip(piece, fault);
    await this.#send(piece);
  }

  async #drip(piece: Buffer, fault: LinkFault & { kind: "drip" }): Promise<void> {
    for (let rest = piece; rest.byteLength > 0 && !this.#closed.signal.aborted; rest = rest.subarray(fault.bytes)) {
      if (this.#rules.fault !== fault) return this.#down(rest);
      await this.#send(rest.subarray(0, fault.bytes));
      await realDelay(fault.everyMs, this.#closed.signal);
    }
  }

  #swallows(): boolean {
    if (this.#rules.fault.kind === "black-hole") this.#swallowed = true;
    return this.#swallowed;
  }

  async #send(piece: Buffer): Promise<void> {
    await write(this.#client, piece);
    this.#sentUnderFault += piece.byteLength;
    this.#rules.bytes.down += piece.byteLength;
  }
}

/** A socket that is being shut down cannot be reset: it would never say that it is closed. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Resolves when the system has taken the bytes, or the socket has failed. */
function write(to: Socket, piece: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (to.destroyed || to.writableEnded) return resolve();
    to.once("close", resolve);
    to.write(piece, () => {
      to.removeListener("close", resolve);
      resolve();
    });
  });
}
