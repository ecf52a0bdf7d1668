import { ReplicaError } from "../../../src/errors.js";
import { closeReason } from "../../../src/pages/session/close-reason.js";
import type { ServerEffect, ServerSession } from "../../../src/pages/session/server-session.js";
import { combinedHash, type Pages, pageHash, samePages, type Wire } from "./machine-link.js";

const DRAINED_BYTES = 64 * 1024;

/** What a store keeps of one database, in memory. */
export interface FakeStore {
  generation: number;
  pageSize: number;
  pages: Pages;
  /** What pushes that broke off have sent. */
  readonly leftovers: Map<number, Uint8Array>;
}

/** Runs a server's session in memory as server-session.ts says that a driver must. */
export class ServerMachine {
  readonly #session: ServerSession;
  readonly #store: FakeStore;
  readonly #out: Wire;
  readonly #in: Wire;
  #effects: ServerEffect[] = [];
  #version: { generation: number; pageSize: number; pages: Pages } = { generation: 0, pageSize: 0, pages: [] };
  #staging: { pageSize: number; pageCount: number; generation: number; pages: Map<number, Uint8Array> } | null = null;
  isFinished = false;
  error: unknown = null;
  commits = 0;
  /** Pages asked for and not come, at most. */
  peakOutstanding = 0;
  #outstanding = 0;

  constructor(session: ServerSession, store: FakeStore, out: Wire, incoming: Wire) {
    this.#session = session;
    this.#store = store;
    this.#out = out;
    this.#in = incoming;
  }

  get isOver(): boolean {
    return this.isFinished || this.error !== null;
  }

  /** @returns whether there was anything to do */
  step(): boolean {
    if (this.isOver) return false;
    try {
      return this.#work();
    } catch (error) {
      this.error = error;
      this.#out.send(this.#session.failed(error));
      this.#out.closeReason = closeReason(error);
      return true;
    }
  }

  #work(): boolean {
    const effect = this.#effects.shift();
    if (effect !== undefined) {
      const isLast = this.#effects.length === 0;
      const answer = this.#run(effect);
      if (answer !== null && !isLast) throw new Error(`an effect with an answer is not the last: ${effect.do}`);
      if (answer !== null) this.#effects = [...answer];
      return true;
    }
    if (this.#out.waitingBytes < DRAINED_BYTES) this.#effects = [...this.#session.idle()];
    if (this.#effects.length > 0) return true;
    const message = this.#in.take();
    if (message === "ping") this.#out.send("pong");
    else if (message !== null && message !== "pong") this.#effects = [...this.#session.receive(message)];
    return message !== null;
  }

  #run(effect: ServerEffect): readonly ServerEffect[] | null {
    switch (effect.do) {
      case "send":
        if (effect.frame.kind === "request_page") this.#asked(1);
        if (effect.frame.kind === "request_pages") this.#asked(effect.frame.pageNumbers.length);
        this.#out.send(effect.frame);
        return null;
      case "open":
        return this.#session.opened(this.#open(effect.unit));
      case "stage":
        this.#staging = { ...effect, pages: new Map() };
        return null;
      case "compare-range":
        return this.#session.compared(this.#compare(effect.startPage, effect.endPage, effect.combinedHash));
      case "compare-page":
        return this.#session.compared(this.#comparePage(effect.pageNo, effect.hash));
      case "stage-pages":
        this.#asked(-effect.pages.length);
        for (const { pageNo, data } of effect.pages) {
          this.#staging?.pages.set(pageNo, data);
          this.#store.leftovers.set(pageNo, data);
        }
        return null;
      case "send-pages": {
        const pages = [];
        for (let pageNo = effect.startPage; pageNo <= effect.endPage; pageNo += 1) {
          pages.push({ pageNo, data: this.#stored(pageNo) ?? new Uint8Array() });
        }
        if (effect.single) for (const page of pages) this.#out.send({ kind: "page_data", ...page });
        else this.#out.send({ kind: "page_data_batch", pages });
        return null;
      }
      case "commit":
        return this.#session.committed(this.#commit());
      case "finish":
        this.isFinished = true;
        return null;
    }
  }

  #asked(count: number): void {
    this.#outstanding += count;
    this.peakOutstanding = Math.max(this.peakOutstanding, this.#outstanding);
  }

  #open(unit: number | null): { generation: number; pageSize: number; pageCount: number; rootHash: Uint8Array | null } {
    const { generation, pageSize, pages } = this.#store;
    this.#staging = null;
    this.#version = {
      generation,
      pageSize: unit ?? pageSize,
      pages: unit === null || unit === pageSize ? pages : inUnits(pages, unit),
    };
    const rootHash = generation === 0 ? null : combinedHash(pages);
    return { generation, pageSize: this.#version.pageSize, pageCount: this.#version.pages.length, rootHash };
  }

  #stored(pageNo: number): Uint8Array | undefined {
    return this.#version.pages[pageNo - 1];
  }

  #leftover(pageNo: number): Uint8Array | undefined {
    const data = this.#store.leftovers.get(pageNo);
    return data?.length === this.#staging?.pageSize ? data : undefined;
  }

  #compare(startPage: number, endPage: number, combined: Uint8Array): "equal" | "different" | "unknown" {
    const known: Uint8Array[] = [];
    let isKnown = false;
    for (let pageNo = startPage; pageNo <= endPage; pageNo += 1) {
      const page = (this.#staging === null ? undefined : this.#leftover(pageNo)) ?? this.#stored(pageNo);
      isKnown ||= page !== undefined;
      known.push(page ?? new Uint8Array());
      if (this.#staging === null && page === undefined) throw new Error(`page ${pageNo} is not stored`);
    }
    if (!isKnown) return "unknown";
    if (Buffer.compare(combinedHash(known), combined) !== 0) return "different";
    known.forEach((page, i) => {
      this.#staging?.pages.set(startPage + i, page);
    });
    return "equal";
  }

  #comparePage(pageNo: number, hash: Uint8Array): "equal" | "different" {
    const candidates = [this.#stored(pageNo), this.#staging === null ? undefined : this.#leftover(pageNo)];
    const page = candidates.find((data) => data !== undefined && Buffer.compare(pageHash(data), hash) === 0);
    if (page !== undefined) this.#staging?.pages.set(pageNo, page);
    return page === undefined ? "different" : "equal";
  }

  #commit(): { generation: number; rootHash: Uint8Array } {
    const staging = this.#staging;
    if (staging === null) throw new Error("nothing is staged");
    const pages = Array.from({ length: staging.pageCount }, (_, i) => staging.pages.get(i + 1));
    const whole = pages.filter((page) => page !== undefined);
    if (whole.length !== staging.pageCount) throw new Error("a page is missing at the commit");
    const rootHash = combinedHash(whole);
    const isSame = this.#store.generation > 0 && samePages(whole, this.#store.pages);
    if (!isSame) {
      if (this.#store.generation !== staging.generation) {
        throw new ReplicaError("GENERATION_CONFLICT", `It is at generation ${this.#store.generation} now.`);
      }
      Object.assign(this.#store, { generation: staging.generation + 1, pageSize: staging.pageSize, pages: whole });
      this.#store.leftovers.clear();
      this.commits += 1;
    }
    return { generation: this.#store.generation, rootHash };
  }
}

function inUnits(pages: Pages, unit: number): Pages {
  const bytes = Buffer.concat([...pages]);
  return Array.from({ length: Math.ceil(bytes.length / unit) }, (_, i) => bytes.subarray(i * unit, (i + 1) * unit));
}
