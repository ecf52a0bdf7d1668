import type { Frame } from "../../../src/pages/protocol/frame.js";
import type {
  ClientEffect,
  ClientOutcome,
  ClientRestart,
  ClientSession,
} from "../../../src/pages/session/client-session.js";
import { combinedHash, type Pages, pageHash, type Wire } from "./machine-link.js";

const DRAINED_BYTES = 64 * 1024;

/** Runs a client's session in memory as client-session.ts says that a driver must. */
export class ClientMachine {
  readonly #session: ClientSession;
  readonly #local: Pages;
  readonly #out: Wire;
  readonly #in: Wire;
  readonly #waiting: Frame[] = [];
  #effects: ClientEffect[];
  #awaitsPong = false;
  /** What a pull has received. */
  readonly received: Map<number, Uint8Array> = new Map();
  outcome: ClientOutcome | null = null;
  restart: ClientRestart | null = null;
  error: unknown = null;

  constructor(session: ClientSession, local: Pages, out: Wire, incoming: Wire) {
    this.#session = session;
    this.#local = local;
    this.#out = out;
    this.#in = incoming;
    this.#effects = [...session.open()];
  }

  get isOver(): boolean {
    return this.outcome !== null || this.restart !== null || this.error !== null;
  }

  /** @returns whether there was anything to do */
  step(): boolean {
    if (this.isOver) return false;
    const message = this.#in.take();
    if (message === "pong") this.#awaitsPong = false;
    else if (message === "ping") this.#out.send("pong");
    else if (message !== null) this.#waiting.push(message);
    if (this.#awaitsPong) return message !== null;
    try {
      return this.#work() || message !== null;
    } catch (error) {
      this.error = error;
      this.#out.send(this.#session.failed(error));
      return true;
    }
  }

  #work(): boolean {
    const effect = this.#effects.shift();
    if (effect !== undefined) {
      this.#run(effect);
      return true;
    }
    const frame = this.#waiting.shift();
    if (frame !== undefined) this.#effects = [...this.#session.receive(frame)];
    else if (this.#out.waitingBytes < DRAINED_BYTES) this.#effects = [...this.#session.idle()];
    return frame !== undefined || this.#effects.length > 0;
  }

  #run(effect: ClientEffect): void {
    switch (effect.do) {
      case "send":
        this.#out.send(effect.frame);
        break;
      case "send-range": {
        const { startPage, endPage } = effect;
        const combined = combinedHash(this.#local, startPage, endPage);
        this.#out.send({ kind: "page_hash_batch", startPage, endPage, combinedHash: combined });
        break;
      }
      case "send-hashes":
        for (let pageNo = effect.startPage; pageNo <= effect.endPage; pageNo += 1) {
          this.#out.send({ kind: "page_hash", pageNo, hash: pageHash(this.#page(pageNo)) });
        }
        break;
      case "send-pages": {
        const pages = effect.pageNumbers.map((pageNo) => ({ pageNo, data: this.#page(pageNo) }));
        if (effect.single) for (const page of pages) this.#out.send({ kind: "page_data", ...page });
        else this.#out.send({ kind: "page_data_batch", pages });
        break;
      }
      case "store-pages":
        for (const { pageNo, data } of effect.pages) this.received.set(pageNo, data);
        break;
      case "barrier":
        this.#awaitsPong = true;
        this.#out.send("ping");
        break;
      case "hear-close":
        this.#session.closed(this.#in.closeReason);
        break;
      case "restart":
        this.restart = effect.how;
        break;
      case "finish":
        this.outcome = effect.outcome;
    }
  }

  #page(pageNo: number): Uint8Array {
    const page = this.#local[pageNo - 1];
    if (page === undefined) throw new Error(`no page ${pageNo}`);
    return page;
  }
}
