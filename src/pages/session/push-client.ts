import { ReplicaError } from "../../errors.js";
import type { ErrorFrame, Frame, HelloReplyFrame, SyncCompleteFrame } from "../protocol/frame.js";
import { MAX_BATCH_BYTES, PROTOCOL_VERSION } from "../protocol/limits.js";
import type { ClientEffect, ClientSession, PeerFacts, SyncBase } from "./client-session.js";
import { createRangePlan, createSinglePlan, type HashPlan } from "./hash-plan.js";
import { PageSet } from "./page-set.js";
import { errorOf, PLAIN_PAGE_BYTES, peerFactsOf } from "./peer-facts.js";
import { sameHash } from "./same-hash.js";
import { errorFrameFor, unexpectedFrame } from "./session-errors.js";

export interface PushClientOptions {
  /** Of the local version, in bytes. In a plain session its unit: 4096, and the last page may be shorter. */
  readonly pageSize: number;
  readonly pageCount: number;
  /** Where the file came from; `null` where it was never synced. */
  readonly base: SyncBase | null;
  /** Replaces what others have pushed meanwhile. Default `false`. */
  readonly force?: boolean;
  /** A push of this file whose answer never came: combined hash of all its pages. */
  readonly pending?: { readonly database: string; readonly rootHash: Uint8Array };
  /** Speak the plain protocol: after a `restart` that says so. Default `false`. */
  readonly plain?: boolean;
}

/** The session of a client that pushes. */
export function createPushClient(options: PushClientOptions): ClientSession {
  return new PushClient(options);
}

class PushClient implements ClientSession {
  readonly #options: PushClientOptions;
  readonly #batchPages: number;
  /** Asked for and not sent yet. */
  readonly #wanted = new PageSet();
  readonly #asked = new PageSet();
  #state: "new" | "hello" | "comparing" | "completed" | "over" = "new";
  #peer: PeerFacts | null = null;
  #lastWords: ErrorFrame = { kind: "error", message: "" };
  #plan: HashPlan = createRangePlan(0);
  #pagesSent = 0;

  constructor(options: PushClientOptions) {
    this.#options = options;
    this.#batchPages = Math.max(1, Math.floor(MAX_BATCH_BYTES / options.pageSize));
  }

  get peer(): PeerFacts | null {
    return this.#peer;
  }

  open(): readonly ClientEffect[] {
    const { pageSize, pageCount, base, force = false, plain = false } = this.#options;
    this.#state = "hello";
    const from = { database: base?.database ?? null, generation: base?.generation ?? null };
    const known = base?.rootHash === undefined ? from : { ...from, rootHash: base.rootHash };
    const extension = { ...known, force, direction: "push" } as const;
    const facts = { protocolVersion: PROTOCOL_VERSION, pageSize, maxPage: pageCount };
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
      case "request_page":
        return this.#ask([frame.pageNo]);
      case "request_pages":
        return this.#ask(frame.pageNumbers);
      case "hash_mismatch_batch":
        return this.#plan.answered(frame.pageNumbers);
      case "hash_mismatch":
        // A plain server may tell what it asks for anyway.
        if (this.#peer.extended) throw unexpectedFrame(frame.kind, "from a server that answers ranges");
        return [];
      case "sync_complete":
        return this.#finish(frame, this.#peer);
      default:
        throw unexpectedFrame(frame.kind, "in a push, from the server");
    }
  }

  idle(): readonly ClientEffect[] {
    if (this.#peer === null || this.#state === "over") return [];
    const pages = this.#takeWanted();
    if (pages.length > 0) {
      this.#pagesSent += pages.length;
      return [{ do: "send-pages", pageNumbers: pages, single: !this.#peer.extended }];
    }
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
    const { pageSize, pageCount, base, pending, plain = false } = this.#options;
    const peer = peerFactsOf(reply, plain);
    this.#peer = peer;
    const { database, generation } = peer;
    if (database !== null && generation !== null) {
      const isOurs = pending?.database === database && sameHash(peer.rootHash, pending.rootHash);
      if (isOurs && (base?.database !== database || base.generation !== generation)) {
        return this.#restart({
          do: "restart",
          how: { reason: "own-push", base: { database, generation, rootHash: pending.rootHash } },
        });
      }
      this.#plan = createRangePlan(pageCount);
    } else {
      if (!plain && pageSize !== PLAIN_PAGE_BYTES) {
        return this.#restart({ do: "restart", how: { reason: "plain-server", pageSize: PLAIN_PAGE_BYTES } });
      }
      if (peer.pageCount > 0 && peer.pageSize !== pageSize) throw otherPageSize(peer.pageSize, pageSize);
      this.#plan = createSinglePlan(pageCount, true);
    }
    this.#state = "comparing";
    return [];
  }

  #restart(effect: ClientEffect): readonly ClientEffect[] {
    this.#state = "over";
    return [effect];
  }

  #ask(pageNumbers: readonly number[]): readonly ClientEffect[] {
    for (const pageNo of pageNumbers) {
      if (pageNo > this.#options.pageCount) {
        throw new ReplicaError("PAGE_PROTOCOL", `The server asked for page ${pageNo} of ${this.#options.pageCount}.`);
      }
      if (!this.#asked.add(pageNo))
        throw new ReplicaError("PAGE_PROTOCOL", `The server asked twice for page ${pageNo}.`);
      this.#wanted.add(pageNo);
    }
    return [];
  }

  #takeWanted(): readonly number[] {
    const pages: number[] = [];
    while (pages.length < this.#batchPages) {
      const range = this.#wanted.take(this.#batchPages - pages.length);
      if (range === null) break;
      for (let pageNo = range.startPage; pageNo <= range.endPage; pageNo += 1) pages.push(pageNo);
    }
    // What was taken around the end of the database begins again with low numbers.
    return pages.sort((a, b) => a - b);
  }

  #finish(frame: SyncCompleteFrame, peer: PeerFacts): readonly ClientEffect[] {
    if (this.#state !== "completed") throw unexpectedFrame(frame.kind, "before `complete`");
    if (this.#wanted.size > 0) throw unexpectedFrame(frame.kind, "before the pages that the server asked for");
    const { pageSize, pageCount } = this.#options;
    this.#state = "over";
    const outcome = {
      pageSize,
      pageCount,
      pagesTransferred: this.#pagesSent,
      bytesTransferred: this.#pagesSent * pageSize,
    };
    const { database, generation } = peer;
    if (database === null || generation === null) {
      const changed = this.#pagesSent > 0 || peer.pageCount !== pageCount;
      return [
        { do: "finish", outcome: { ...outcome, changed, version: null, notices: plainNotices(peer, pageCount) } },
      ];
    }
    if (frame.extension === null) {
      throw new ReplicaError("PAGE_PROTOCOL", "`sync_complete` does not say which generation was made.");
    }
    const changed = frame.extension.generation !== generation;
    return [{ do: "finish", outcome: { ...outcome, changed, version: { database, ...frame.extension }, notices: [] } }];
  }
}

function otherPageSize(theirs: number, ours: number): ReplicaError {
  return new ReplicaError("PAGE_PROTOCOL", `The server counts in pages of ${theirs} bytes, and was told ${ours}.`);
}

function plainNotices(peer: PeerFacts, pageCount: number): readonly string[] {
  const notices = [
    "This server knows no generations: what others pushed since your last sync was replaced without a word.",
  ];
  if (peer.pageCount > pageCount) {
    const kept = `${peer.pageCount - pageCount} pages behind the end of this database`;
    notices.push(`This server never shortens a database: it keeps ${kept}, which are no part of it any more.`);
  }
  return notices;
}
