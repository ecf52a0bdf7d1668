import { ReplicaError } from "../../errors.js";
import { isDiskFull } from "../../files/error-code.js";
import type { PageHashes } from "../hashes/page-hashes.js";
import { commitPush } from "./commit-push.js";
import { KnownPages } from "./known-pages.js";
import type { Leftovers } from "./leftovers.js";
import { PUSHED, STORED } from "./page-origin.js";
import { PageRun } from "./page-run.js";
import type { PageStaging, PageVerdict, PageVersion, StagingRequest } from "./page-store.js";
import type { PushedPages } from "./pushed-pages.js";
import { readSqlitePageSize } from "./sqlite-header.js";
import type { PinnedVersion, StoredDatabase } from "./stored-database.js";
import { Turns } from "./turns.js";

/** What a push starts with. It is the staging's to close. */
export interface StagingParts {
  readonly database: StoredDatabase;
  readonly leftovers: Leftovers;
  readonly request: StagingRequest;
  readonly stored: PageStaging["stored"];
  /** The stored version, with the hashes of pages of the size that is pushed; `null` where there is none, or it is damaged. */
  readonly pinned: (PinnedVersion & { readonly unitList: PageHashes }) | null;
  /** The first is this push's own. */
  readonly pushed: readonly PushedPages[];
}

export class FilePageStaging implements PageStaging {
  readonly stored: Pick<PageVersion, "generation" | "pageSize" | "pageCount" | "rootHash">;
  readonly #parts: StagingParts;
  readonly #unit: number;
  readonly #pageCount: number;
  readonly #own: PushedPages;
  readonly #known: KnownPages;
  readonly #run: PageRun;
  readonly #turns = new Turns();
  /** Of the last page as it was sent, where it is shorter than the others. */
  #shortBytes: number | null = null;
  /** After it nobody knows what the disk has. */
  #failure: { readonly error: unknown } | null = null;
  /** Whether each of the push's own pages is as its hash says. */
  #whole = true;
  /** Whether its commit made a generation. */
  #changed = false;
  #over: "committed" | "closed" | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: StagingParts) {
    const [own] = parts.pushed;
    if (own === undefined) throw new RangeError("a push has pages of its own");
    const { request, pinned } = parts;
    this.stored = parts.stored;
    this.#parts = parts;
    this.#unit = request.pageSize;
    this.#pageCount = request.pageCount;
    this.#own = own;
    const count = pinned === null ? 0 : Math.ceil(pinned.header.bytes / this.#unit);
    const short = pinned !== null && pinned.header.bytes % this.#unit !== 0;
    // A last page that is shorter is a page of the new version only where it is the last one again.
    const usable = short && count !== this.#pageCount ? count - 1 : count;
    this.#known = new KnownPages(this.#pageCount, pinned?.unitList ?? null, usable, parts.pushed);
    this.#run = new PageRun(own, parts.database.hasher);
  }

  compare(startPage: number, endPage: number, combinedHash: Uint8Array): Promise<PageVerdict> {
    return this.#attempt("Comparing pages of a push", async () => {
      this.#checkPages(startPage, endPage);
      if (this.#run.any(startPage, endPage)) await this.#run.flush();
      return await this.#known.compare(startPage, endPage, combinedHash);
    });
  }

  has(pageNo: number, hash: Uint8Array): Promise<boolean> {
    return this.#attempt("Comparing pages of a push", async () => {
      this.#checkPages(pageNo, pageNo);
      if (this.#run.any(pageNo, pageNo)) await this.#run.flush();
      return await this.#known.has(pageNo, hash);
    });
  }

  put(pageNo: number, data: Uint8Array): Promise<void> {
    return this.#attempt("Storing pages of a push", async () => {
      this.#checkPages(pageNo, pageNo);
      const last = pageNo === this.#pageCount;
      if (data.length > this.#unit || data.length === 0 || (data.length < this.#unit && !last)) {
        throw new RangeError(`page ${pageNo} has ${data.length} bytes, not ${this.#unit}`);
      }
      if (pageNo === 1) readSqlitePageSize(data);
      await this.#run.put(pageNo, data);
      if (last) this.#shortBytes = data.length < this.#unit ? data.length : null;
      this.#known.origins[pageNo] = PUSHED;
    });
  }

  commit(): Promise<{ readonly generation: number; readonly rootHash: Uint8Array }> {
    return this.#attempt("Storing a push", async () => {
      await this.#run.flush();
      const missing = this.#known.origins.indexOf(0, 1);
      if (missing >= 0) {
        throw new ReplicaError("PAGE_PROTOCOL", `Page ${missing} of the push was neither sent nor found equal`);
      }
      const committed = await commitPush({
        ...this.#parts,
        known: this.#known,
        bytes: this.#bytes(),
        from: this.#parts.request.generation ?? this.stored.generation,
        // From then on its pages are those of the whole version, its hashes those of what was sent.
        composing: () => this.#doubt(),
      });
      this.#over = "committed";
      this.#changed = committed.changed;
      return { generation: committed.generation, rootHash: committed.rootHash };
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#turns.run(() => this.#close());
    return this.#closing;
  }

  #checkPages(startPage: number, endPage: number): void {
    const whole = Number.isInteger(startPage) && Number.isInteger(endPage);
    if (whole && startPage >= 1 && startPage <= endPage && endPage <= this.#pageCount) return;
    throw new RangeError(`pages ${startPage} to ${endPage} are not among the ${this.#pageCount} of this push`);
  }

  /** How long the pushed file is. */
  #bytes(): number {
    if (this.#pageCount === 0) return 0;
    const before = (this.#pageCount - 1) * this.#unit;
    const origin = this.#known.origins[this.#pageCount];
    if (origin === STORED) return Math.min(before + this.#unit, this.#parts.pinned?.header.bytes ?? 0);
    return before + (origin === PUSHED ? (this.#shortBytes ?? this.#unit) : this.#unit);
  }

  #attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(() =>
      this.#parts.database.attempt(what, async () => {
        if (this.#over !== null) throw new ReplicaError("STOPPED", `${what}: it is ${this.#over} already`);
        if (this.#failure !== null) throw this.#failure.error;
        try {
          return await work();
        } catch (error) {
          // A wrong call or a refusal has changed nothing.
          const refused = error instanceof RangeError || error instanceof ReplicaError;
          if (!refused || isDiskFull(error)) this.#failure = { error };
          throw error;
        }
      }),
    );
  }

  async #close(): Promise<void> {
    const { database, leftovers, pushed, pinned, request } = this.#parts;
    const committed = this.#over === "committed";
    this.#over = "closed";
    // What a failure has left is checked by its hashes before it is used.
    if (this.#failure !== null || committed) this.#doubt();
    else await this.#keepLast().catch(() => this.#doubt());
    for (const pages of pushed) {
      const own = pages === this.#own;
      // A full disk is not to stay full of half a push.
      const useless = this.#changed || (own && isDiskFull(this.#failure?.error));
      await database.beside("Keeping the pages of a push", () =>
        useless ? leftovers.remove(pages) : leftovers.giveBack(pages, !own || this.#whole),
      );
    }
    const maxBytes = this.#changed ? 0 : request.maxBytes;
    await database.beside("Removing old pages", () => leftovers.sweep({ maxBytes }));
    await pinned?.unitList.close();
    await pinned?.list.close();
    await pinned?.file.close();
  }

  /** Writes what still waits. A page that is shorter than the others is one at the end of this version alone. */
  async #keepLast(): Promise<void> {
    await this.#run.flush();
    if (this.#shortBytes !== null) await this.#own.forget(this.#pageCount);
  }

  #doubt(): void {
    this.#whole = false;
  }
}
