import { ReplicaError } from "../../errors.js";
import type { Frame, HelloFrame } from "../protocol/frame.js";
import { MAX_BATCH_BYTES, PROTOCOL_VERSION } from "../protocol/limits.js";
import { type PageRange, PageSet } from "./page-set.js";
import { rangeAnswer } from "./range-answer.js";
import type { ServerEffect, ServerSession, StoredFacts } from "./server-session.js";
import { errorFrameFor, unexpectedFrame } from "./session-errors.js";
import { verifyHello } from "./verify-hello.js";
import { WorkLimit } from "./work-limit.js";

export interface PullServerOptions {
  /** Id of the database that is being pulled. */
  readonly database: string;
}

/** The session of a server that is pulled from. */
export function createPullServer(options: PullServerOptions): ServerSession {
  return new PullServer(options);
}

type HashBatchFrame = Extract<Frame, { readonly kind: "page_hash_batch" }>;

class PullServer implements ServerSession {
  readonly #options: PullServerOptions;
  readonly #work = new WorkLimit();
  /** Pages that nothing more is to be found out about: equal, sent, or to be sent. */
  readonly #settled = new PageSet();
  readonly #toSend = new PageSet();
  #state: "new" | "opening" | "comparing" | "completed" | "over" = "new";
  #hello: HelloFrame | null = null;
  #stored: StoredFacts = { generation: 0, pageSize: 0, pageCount: 0, rootHash: null };
  /** What is being compared now. */
  #range: PageRange & { readonly isBatch: boolean } = { startPage: 1, endPage: 1, isBatch: false };
  #clientBatches = false;
  /** After `complete`: pages before it are settled. */
  #restFrom = 1;
  #pagesSent = 0;
  #bytesSent = 0;

  constructor(options: PullServerOptions) {
    this.#options = options;
  }

  receive(frame: Frame): readonly ServerEffect[] {
    if (this.#state === "over") throw unexpectedFrame(frame.kind, "after the end of a sync");
    if (frame.kind === "error") return this.#end([]);
    if (this.#hello === null) {
      const hello = verifyHello(frame, "pull");
      this.#hello = hello;
      this.#state = "opening";
      return [{ do: "open", unit: hello.extension === null ? hello.pageSize : null }];
    }
    if (this.#state === "completed") throw unexpectedFrame(frame.kind, "in a pull, after `complete`");
    switch (frame.kind) {
      case "page_hash":
        return this.#comparePage(frame.pageNo, frame.hash, this.#hello);
      case "page_hash_batch":
        return this.#compareRange(frame, this.#hello);
      case "complete":
        this.#state = "completed";
        return [];
      default:
        throw unexpectedFrame(frame.kind, "in a pull, from the client");
    }
  }

  opened(stored: StoredFacts): readonly ServerEffect[] {
    this.#stored = stored;
    this.#state = "comparing";
    // What the client says that it has costs nobody anything but the client, and it may say anything.
    this.#work.begin(stored.pageCount);
    const facts = {
      protocolVersion: PROTOCOL_VERSION,
      pageSize: stored.pageSize || (this.#hello?.pageSize ?? 0),
      maxPage: stored.pageCount,
    };
    const { generation, rootHash } = stored;
    const extension = this.#isExtended ? { database: this.#options.database, generation, rootHash } : null;
    return [{ do: "send", frame: { kind: "hello_reply", ...facts, extension } }];
  }

  compared(verdict: "equal" | "different" | "unknown"): readonly ServerEffect[] {
    const { isBatch, ...range } = this.#range;
    const isEqual = verdict === "equal";
    if (isBatch && this.#isExtended) {
      if (isEqual) this.#settled.addRange(range);
      return [rangeAnswer(range, verdict)];
    }
    if (!isEqual) this.#sendLater(range);
    this.#settled.addRange(range);
    return [];
  }

  committed(): readonly ServerEffect[] {
    throw new Error("A pull commits nothing.");
  }

  idle(): readonly ServerEffect[] {
    if (this.#state !== "comparing" && this.#state !== "completed") return [];
    const range = this.#nextToSend();
    if (range !== null) {
      this.#count(range);
      return [{ do: "send-pages", ...range, single: !this.#isExtended && !this.#clientBatches }];
    }
    if (this.#state !== "completed") return [];
    const { generation, rootHash } = this.#stored;
    const facts = { pagesTransferred: this.#pagesSent, bytesTransferred: this.#bytesSent };
    const extension = this.#isExtended ? { generation, rootHash } : null;
    return this.#end([{ do: "send", frame: { kind: "sync_complete", ...facts, extension } }]);
  }

  failed(error: unknown): Frame {
    this.#state = "over";
    return errorFrameFor(error, "server");
  }

  get #isExtended(): boolean {
    return this.#hello !== null && this.#hello.extension !== null;
  }

  #comparePage(pageNo: number, hash: Uint8Array, hello: HelloFrame): readonly ServerEffect[] {
    this.#verifyNamed(pageNo, hello);
    // What the client has and the stored version has not is not missing anywhere.
    if (pageNo > this.#stored.pageCount) return [];
    this.#work.spend(1);
    if (this.#settled.has(pageNo)) return [];
    this.#range = { startPage: pageNo, endPage: pageNo, isBatch: false };
    return [{ do: "compare-page", pageNo, hash }];
  }

  #compareRange(frame: HashBatchFrame, hello: HelloFrame): readonly ServerEffect[] {
    const { startPage, endPage, combinedHash } = frame;
    this.#verifyNamed(endPage, hello);
    this.#clientBatches = true;
    const last = this.#stored.pageCount;
    this.#range = { startPage, endPage, isBatch: true };
    if (endPage <= last) {
      this.#work.spend(endPage - startPage + 1);
      return [{ do: "compare-range", startPage, endPage, combinedHash }];
    }
    this.#work.spend(1);
    if (this.#isExtended) return [rangeAnswer(this.#range, startPage > last ? "unknown" : "different")];
    if (startPage <= last) {
      this.#sendLater({ startPage, endPage: last });
      this.#settled.addRange({ startPage, endPage: last });
    }
    return [];
  }

  #verifyNamed(pageNo: number, hello: HelloFrame): void {
    const last = Math.max(hello.maxPage, this.#stored.pageCount);
    if (pageNo > last)
      throw new ReplicaError("PAGE_PROTOCOL", `Page ${pageNo} was named, and the last one is ${last}.`);
  }

  /** Pages that are settled are equal, or were sent. */
  #sendLater({ startPage, endPage }: PageRange): void {
    let from = startPage;
    for (;;) {
      const range = this.#settled.missing(from, endPage);
      if (range === null) return;
      this.#toSend.addRange(range);
      from = range.endPage + 1;
    }
  }

  #nextToSend(): PageRange | null {
    const { pageSize, pageCount } = this.#stored;
    const max = Math.max(1, Math.floor(MAX_BATCH_BYTES / pageSize));
    const named = this.#toSend.take(max);
    if (named !== null || this.#state !== "completed") return named;
    const rest = this.#settled.missing(this.#restFrom, pageCount);
    if (rest === null) return null;
    const range = { startPage: rest.startPage, endPage: Math.min(rest.endPage, rest.startPage + max - 1) };
    this.#restFrom = range.endPage + 1;
    return range;
  }

  #count({ startPage, endPage }: PageRange): void {
    const pages = endPage - startPage + 1;
    this.#pagesSent += pages;
    this.#bytesSent += pages * this.#stored.pageSize;
  }

  #end(effects: readonly ServerEffect[]): readonly ServerEffect[] {
    this.#state = "over";
    return [...effects, { do: "finish" }];
  }
}
