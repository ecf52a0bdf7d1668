import { ReplicaError } from "../../errors.js";
import type { Frame, HelloFrame, Page } from "../protocol/frame.js";
import { PROTOCOL_VERSION } from "../protocol/limits.js";
import { PageRequests } from "./page-requests.js";
import type { PageRange } from "./page-set.js";
import { pageSizeIn } from "./page-size.js";
import { rangeAnswer } from "./range-answer.js";
import { sameHash } from "./same-hash.js";
import type { ServerEffect, ServerSession, StoredFacts } from "./server-session.js";
import { errorFrameFor, unexpectedFrame } from "./session-errors.js";
import { verifyHello } from "./verify-hello.js";
import { WorkLimit } from "./work-limit.js";

export interface PushServerOptions {
  /** Id of the database that is being pushed. */
  readonly database: string;
  /** How large it may be, in bytes. */
  readonly maxBytes: number;
}

/** The session of a server that is pushed to. */
export function createPushServer(options: PushServerOptions): ServerSession {
  return new PushServer(options);
}

/** A server that was restored from a backup counts on from there, and gives numbers again. */
function anotherStory(generation: number): ReplicaError {
  const other = `The database is at generation ${generation}, but at another one than the generation ${generation} that the file comes from`;
  return new ReplicaError("GENERATION_CONFLICT", `${other}: the server was restored from a backup meanwhile.`);
}

type HashBatchFrame = Extract<Frame, { readonly kind: "page_hash_batch" }>;

class PushServer implements ServerSession {
  readonly #options: PushServerOptions;
  readonly #work = new WorkLimit();
  #state: "new" | "opening" | "comparing" | "completed" | "committing" | "over" = "new";
  #hello: HelloFrame | null = null;
  #stored: StoredFacts = { generation: 0, pageSize: 0, pageCount: 0, rootHash: null };
  #requests = new PageRequests(0);
  /** Bytes of a page as this push counts. */
  #unit = 0;
  /** The push starts from another generation than the stored one: it is no error as long as nothing is different. */
  #conflict: ReplicaError | null = null;
  /** What is being compared now. */
  #range: PageRange & { readonly isBatch: boolean } = { startPage: 1, endPage: 1, isBatch: false };
  #clientBatches = false;
  #isAnyEqual = false;
  /** What came in pages of another size than announced, until the stored version is open in that size. */
  #held: readonly Page[] = [];
  #pagesReceived = 0;
  #bytesReceived = 0;

  constructor(options: PushServerOptions) {
    this.#options = options;
  }

  receive(frame: Frame): readonly ServerEffect[] {
    if (this.#state === "over") throw unexpectedFrame(frame.kind, "after the end of a sync");
    if (frame.kind === "error") {
      this.#state = "over";
      return [{ do: "finish" }];
    }
    if (this.#hello === null) return this.#begin(verifyHello(frame, "push"));
    if (this.#conflict !== null && !this.#isSameShape) throw this.#conflict;
    switch (frame.kind) {
      case "page_data":
        return this.#stage([frame]);
      case "page_data_batch":
        return this.#stage(frame.pages);
      case "page_hash":
        this.#verifyNaming(frame.kind, frame.pageNo);
        return this.#comparePage(frame.pageNo, frame.hash);
      case "page_hash_batch":
        this.#verifyNaming(frame.kind, frame.endPage);
        return this.#compareRange(frame);
      case "complete":
        this.#verifyNaming(frame.kind, 0);
        this.#state = "completed";
        this.#requests.allNamed();
        return this.#goOn();
      default:
        throw unexpectedFrame(frame.kind, "in a push, from the client");
    }
  }

  opened(stored: StoredFacts): readonly ServerEffect[] {
    if (this.#held.length > 0) return this.#reopened(stored);
    this.#stored = stored;
    this.#state = "comparing";
    this.#requests = new PageRequests(this.#pageCount);
    this.#work.begin(Math.max(stored.pageCount, this.#pageCount));
    this.#conflict = this.#findConflict(stored);
    const { generation, rootHash } = stored;
    const facts = {
      protocolVersion: PROTOCOL_VERSION,
      pageSize: stored.pageSize || this.#unit,
      maxPage: stored.pageCount,
    };
    const extension = this.#isExtended ? { database: this.#options.database, generation, rootHash } : null;
    const reply: ServerEffect = { do: "send", frame: { kind: "hello_reply", ...facts, extension } };
    return this.#conflict === null ? [reply, this.#stageEffect()] : [reply];
  }

  compared(verdict: "equal" | "different" | "unknown"): readonly ServerEffect[] {
    const { isBatch, ...range } = this.#range;
    if (verdict === "equal") {
      this.#isAnyEqual = true;
      this.#requests.equal(range);
    } else {
      if (this.#conflict !== null) throw this.#conflict;
      const isLookedAtCloser = isBatch && this.#isExtended && verdict === "different";
      if (!isLookedAtCloser) this.#requests.want(range);
    }
    const answers = isBatch && this.#isExtended ? [rangeAnswer(range, verdict)] : [];
    return [...answers, ...this.#goOn()];
  }

  committed(version: { readonly generation: number; readonly rootHash: Uint8Array }): readonly ServerEffect[] {
    return this.#finish(version);
  }

  idle(): readonly ServerEffect[] {
    return [];
  }

  failed(error: unknown): Frame {
    this.#state = "over";
    return errorFrameFor(error, "server");
  }

  get #isExtended(): boolean {
    return this.#hello !== null && this.#hello.extension !== null;
  }

  get #pageCount(): number {
    return this.#hello?.maxPage ?? 0;
  }

  get #isSameShape(): boolean {
    return this.#stored.pageCount === this.#pageCount && this.#stored.pageSize === this.#unit;
  }

  #begin(hello: HelloFrame): readonly ServerEffect[] {
    this.#hello = hello;
    this.#unit = hello.pageSize;
    if (!this.#isExtended && hello.maxPage === 0) {
      // As likely it is a pull into a new file, by the wrong token.
      throw new ReplicaError("PAGE_PROTOCOL", "A push of no pages is not taken: it would empty the database.");
    }
    this.#verifyQuota();
    this.#state = "opening";
    return [{ do: "open", unit: this.#isExtended ? null : hello.pageSize }];
  }

  #verifyQuota(): void {
    const bytes = this.#unit * this.#pageCount;
    if (bytes <= this.#options.maxBytes) return;
    const limit = `${this.#options.maxBytes} are the most that a database may have on this server`;
    throw new ReplicaError("QUOTA_EXCEEDED", `The database has ${bytes} bytes; ${limit}.`);
  }

  #findConflict(stored: StoredFacts): ReplicaError | null {
    const from = this.#hello?.extension ?? null;
    // A plain client starts from what is current now, as far as anybody can know.
    if (from === null || from.force) return null;
    const generation = from.database === this.#options.database ? (from.generation ?? 0) : 0;
    if (generation === stored.generation) {
      const isOther = generation > 0 && from.rootHash !== undefined && !sameHash(from.rootHash, stored.rootHash);
      return isOther ? anotherStory(generation) : null;
    }
    const origin =
      generation === 0 ? "was never synced with this database" : `was pushed from generation ${generation}`;
    return new ReplicaError(
      "GENERATION_CONFLICT",
      `The file ${origin}, but the database is at generation ${stored.generation}.`,
    );
  }

  #stageEffect(): ServerEffect {
    return { do: "stage", pageSize: this.#unit, pageCount: this.#pageCount, generation: this.#stored.generation };
  }

  #verifyNaming(kind: Frame["kind"], pageNo: number): void {
    if (this.#state !== "comparing") throw unexpectedFrame(kind, "after `complete`");
    if (pageNo <= this.#pageCount) return;
    throw new ReplicaError("PAGE_PROTOCOL", `Page ${pageNo} was named, and the last one is ${this.#pageCount}.`);
  }

  #comparePage(pageNo: number, hash: Uint8Array): readonly ServerEffect[] {
    this.#work.spend(1);
    if (this.#requests.isSettled(pageNo)) return [];
    this.#range = { startPage: pageNo, endPage: pageNo, isBatch: false };
    return [{ do: "compare-page", pageNo, hash }];
  }

  #compareRange({ startPage, endPage, combinedHash }: HashBatchFrame): readonly ServerEffect[] {
    this.#work.spend(endPage - startPage + 1);
    this.#clientBatches = true;
    this.#range = { startPage, endPage, isBatch: true };
    return [{ do: "compare-range", startPage, endPage, combinedHash }];
  }

  #stage(pages: readonly Page[]): readonly ServerEffect[] {
    if (this.#isOtherUnit(pages)) return this.#changeUnit(pages);
    for (const { pageNo, data } of pages) {
      this.#requests.came(pageNo);
      const isShorter = !this.#isExtended && pageNo === this.#pageCount && data.length > 0 && data.length < this.#unit;
      if (data.length !== this.#unit && !isShorter) {
        const sizes = `${data.length} bytes, and pages of this push ${this.#unit}`;
        throw new ReplicaError("PAGE_PROTOCOL", `Page ${pageNo} was sent with ${sizes}.`);
      }
      this.#bytesReceived += data.length;
    }
    this.#pagesReceived += pages.length;
    const staged: readonly ServerEffect[] = pages.length === 0 ? [] : [{ do: "stage-pages", pages }];
    return [...staged, ...this.#goOn()];
  }

  /** Original clients announce 4096 whatever their database's page size is: what page 1 itself says counts, as long as nothing else is staged. */
  #isOtherUnit(pages: readonly Page[]): boolean {
    const first = pages[0];
    if (first === undefined || first.pageNo !== 1 || first.data.length === this.#unit) return false;
    const mayBeShorter = this.#pageCount === 1 && first.data.length < this.#unit;
    const mayChange = !this.#isExtended && !mayBeShorter && this.#pagesReceived === 0 && !this.#isAnyEqual;
    return mayChange && pageSizeIn(first.data) === first.data.length;
  }

  #changeUnit(pages: readonly Page[]): readonly ServerEffect[] {
    this.#unit = pages[0]?.data.length ?? this.#unit;
    this.#verifyQuota();
    this.#held = pages;
    return [{ do: "open", unit: this.#unit }];
  }

  #reopened(stored: StoredFacts): readonly ServerEffect[] {
    if (stored.generation !== this.#stored.generation) {
      const now = `the database is at generation ${stored.generation} now`;
      throw new ReplicaError("GENERATION_CONFLICT", `It was at ${this.#stored.generation} at the start, and ${now}.`);
    }
    const pages = this.#held;
    this.#held = [];
    this.#stored = stored;
    return [this.#stageEffect(), ...this.#stage(pages)];
  }

  /** Asks for pages, as many as the window takes; ends the push where nothing is left to be asked for or to come. */
  #goOn(): readonly ServerEffect[] {
    if (this.#conflict !== null && this.#requests.needsAny) throw this.#conflict;
    if (this.#requests.isDone) {
      if (this.#conflict !== null) return this.#finish(this.#stored);
      this.#state = "committing";
      return [{ do: "commit" }];
    }
    const frames = this.#requests.next(this.#unit, !this.#isExtended && !this.#clientBatches);
    return frames.map((frame) => ({ do: "send", frame }));
  }

  #finish({ generation, rootHash }: Pick<StoredFacts, "generation" | "rootHash">): readonly ServerEffect[] {
    this.#state = "over";
    const facts = { pagesTransferred: this.#pagesReceived, bytesTransferred: this.#bytesReceived };
    const extension = this.#isExtended ? { generation, rootHash } : null;
    return [{ do: "send", frame: { kind: "sync_complete", ...facts, extension } }, { do: "finish" }];
  }
}
