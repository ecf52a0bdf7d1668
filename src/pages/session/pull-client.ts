import { ReplicaError } from "../../errors.js";
import type { ErrorFrame, Frame, HelloReplyFrame, Page, SyncCompleteFrame } from "../protocol/frame.js";
import { PROTOCOL_VERSION } from "../protocol/limits.js";
import type { ClientEffect, ClientSession, PeerFacts, SyncBase } from "./client-session.js";
import { createRangePlan, createSinglePlan, type HashPlan } from "./hash-plan.js";
import { PageSet } from "./page-set.js";
import { isPageSize } from "./page-size.js";
import { errorOf, PLAIN_PAGE_BYTES, peerFactsOf } from "./peer-facts.js";
import { errorFrameFor, unexpectedFrame } from "./session-errors.js";

export interface PullClientOptions {
  /** The file that is there already; `null` where there is none. In a plain session in its unit, 4096, and the last page may be shorter. */
  readonly local: { readonly pageSize: number; readonly pageCount: number } | null;
  /** Where the file came from; `null` where it was never synced. */
  readonly base: SyncBase | null;
  /** Speak the plain protocol: after a `restart` that says so. Default `false`. */
  readonly plain?: boolean;
}

/** The session of a client that pulls. */
export function createPullClient(options: PullClientOptions): ClientSession {
  return new PullClient(options);
}

class PullClient implements ClientSession {
  readonly #options: PullClientOptions;
  readonly #received = new PageSet();
  #state: "new" | "hello" | "comparing" | "completed" | "over" = "new";
  #peer: PeerFacts | null = null;
  #lastWords: ErrorFrame = { kind: "error", message: "" };
  #plan: HashPlan = createRangePlan(0);
  /** Pages that both have: the server knows our hashes of these, and sends all others. */
  #comparable = 0;
  #bytesReceived = 0;

  constructor(options: PullClientOptions) {
    this.#options = options;
  }

  get peer(): PeerFacts | null {
    return this.#peer;
  }

  open(): readonly ClientEffect[] {
    const { local, base, plain = false } = this.#options;
    this.#state = "hello";
    const from = { database: base?.database ?? null, generation: base?.generation ?? null };
    const extension = { ...from, force: false, direction: "pull" } as const;
    const facts = {
      protocolVersion: PROTOCOL_VERSION,
      pageSize: local?.pageSize ?? PLAIN_PAGE_BYTES,
      maxPage: local?.pageCount ?? 0,
    };
    return [{ do: "send", frame: { kind: "hello", ...facts, extension: plain ? null : extension } }];
  }

  receive(frame: Frame): readonly ClientEffect[] {
    if (this.#state === "over" || this.#state === "new") throw unexpectedFrame(frame.kind, "outside of a sync");
    if (frame.kind === "error") {
      this.#state = "over";
      this.#lastWords = frame;
      return [{ do: "hear-close" }];
    }
    if (this.#peer === null) {
      if (frame.kind !== "hello_reply") throw unexpectedFrame(frame.kind, "before `hello_reply`");
      return this.#begin(frame);
    }
    switch (frame.kind) {
      case "page_data":
        return this.#store([frame], this.#peer);
      case "page_data_batch":
        return this.#store(frame.pages, this.#peer);
      case "hash_mismatch_batch":
        return this.#plan.answered(frame.pageNumbers);
      case "hash_mismatch":
        // A plain server may tell what it sends anyway.
        if (this.#peer.extended) throw unexpectedFrame(frame.kind, "from a server that answers ranges");
        return [];
      case "sync_complete":
        return this.#finish(frame, this.#peer);
      default:
        throw unexpectedFrame(frame.kind, "in a pull, from the server");
    }
  }

  idle(): readonly ClientEffect[] {
    if (this.#state !== "comparing") return [];
    if (!this.#plan.isDone) return this.#plan.next();
    this.#state = "completed";
    return [{ do: "send", frame: { kind: "complete" } }];
  }

  closed(reason: string): never {
    throw errorOf(this.#lastWords, reason, this.#peer, this.#options.base);
  }

  failed(error: unknown): Frame {
    return errorFrameFor(error, "client");
  }

  #begin(reply: HelloReplyFrame): readonly ClientEffect[] {
    const { local, plain = false } = this.#options;
    const peer = peerFactsOf(reply, plain);
    this.#peer = peer;
    if (!peer.extended && !plain && local !== null && local.pageSize !== PLAIN_PAGE_BYTES) {
      this.#state = "over";
      return [{ do: "restart", how: { reason: "plain-server", pageSize: PLAIN_PAGE_BYTES } }];
    }
    const isUsable = peer.extended ? isPageSize(peer.pageSize) : peer.pageSize === PLAIN_PAGE_BYTES;
    if (peer.pageCount > 0 && !isUsable) {
      throw new ReplicaError("PAGE_PROTOCOL", `The server's pages have ${peer.pageSize} bytes, which cannot be.`);
    }
    const isComparable = local !== null && local.pageSize === peer.pageSize;
    this.#comparable = isComparable ? Math.min(local.pageCount, peer.pageCount) : 0;
    this.#plan = peer.extended ? createRangePlan(this.#comparable) : createSinglePlan(this.#comparable, false);
    this.#state = "comparing";
    return [];
  }

  #store(pages: readonly Page[], peer: PeerFacts): readonly ClientEffect[] {
    for (const { pageNo, data } of pages) {
      if (pageNo > peer.pageCount) {
        throw new ReplicaError("PAGE_PROTOCOL", `The server sent page ${pageNo} of ${peer.pageCount}.`);
      }
      const isShorter = !peer.extended && pageNo === peer.pageCount && data.length > 0 && data.length < peer.pageSize;
      if (data.length !== peer.pageSize && !isShorter) {
        const sizes = `${data.length} bytes, and pages of this database ${peer.pageSize}`;
        throw new ReplicaError("PAGE_PROTOCOL", `Page ${pageNo} that the server sent has ${sizes}.`);
      }
      if (!this.#received.add(pageNo)) throw new ReplicaError("PAGE_PROTOCOL", `The server sent page ${pageNo} twice.`);
      this.#bytesReceived += data.length;
    }
    return pages.length === 0 ? [] : [{ do: "store-pages", pages }];
  }

  #finish(frame: SyncCompleteFrame, peer: PeerFacts): readonly ClientEffect[] {
    if (this.#state !== "completed") throw unexpectedFrame(frame.kind, "before `complete`");
    const missing = this.#received.missing(this.#comparable + 1, peer.pageCount);
    if (missing !== null) {
      throw new ReplicaError("PAGE_PROTOCOL", `The server ended the sync without sending page ${missing.startPage}.`);
    }
    if (peer.extended && frame.extension?.generation !== peer.generation) {
      throw new ReplicaError("PAGE_PROTOCOL", "`sync_complete` is about another generation than `hello_reply`.");
    }
    this.#state = "over";
    const { local } = this.#options;
    const { database, pageSize, pageCount } = peer;
    const isExtended = database !== null && frame.extension !== null && peer.extended;
    const isSameSize = (local?.pageCount ?? 0) === pageCount && (local === null || local.pageSize === pageSize);
    const outcome = {
      changed: this.#received.size > 0 || !isSameSize,
      version: isExtended ? { database, ...frame.extension } : null,
      pageSize,
      pageCount,
      pagesTransferred: this.#received.size,
      bytesTransferred: this.#bytesReceived,
      notices: peer.extended ? [] : [PLAIN_NOTICE],
    };
    return [{ do: "finish", outcome }];
  }
}

const PLAIN_NOTICE =
  "This server knows no generations: a push from this file will not notice what others have pushed meanwhile.";
