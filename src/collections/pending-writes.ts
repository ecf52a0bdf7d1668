import { ReplicaError } from "../errors.js";
import type { DocumentContent } from "../modes/document-content.js";
import { documentHash } from "../protocol/canonical-json.js";
import type { Base, BaseRecord } from "./base-record.js";
import type { DeadLetter } from "./dead-letter.js";
import type { MergedDocument } from "./merged-document.js";

/** A local document on its way to the primary. */
export interface Outgoing extends DocumentContent {
  readonly baseHash: string | null;
  /** Version of the base that it was made on. */
  readonly baseVersion: number;
  /** It was sent before, and that push may have reached the primary whatever becomes of this one. */
  readonly again: boolean;
}

export interface PendingWritesOptions {
  /** The first push need not look at the primary: nobody else is expected to write there. Default `false`. */
  readonly trustsFirstPush?: boolean;
  /** Told of a write that became a dead letter before the primary was asked. */
  readonly onDeadLetter?: (error: ReplicaError) => void;
}

/** Lost pushes that are remembered on one base. */
const MAX_SENT = 4;

/**
 * What clients wrote and the primary does not have: the local document, where it differs from the base record. Nothing has to be noted when
 * a client writes, so nothing can be forgotten.
 */
export class PendingWrites {
  readonly #document: MergedDocument;
  readonly #options: PendingWritesOptions;
  #deadLetter: DeadLetter | null = null;
  #pendingSince: number | null = null;
  #conflicts = { baseVersion: -1, count: 0 };

  constructor(document: MergedDocument, options: PendingWritesOptions = {}) {
    this.#document = document;
    this.#options = options;
  }

  get deadLetter(): DeadLetter | null {
    return this.#deadLetter;
  }

  /** Since when something has been waiting, as far as we have looked; ISO 8601, or `null`. */
  get pendingSince(): string | null {
    return this.#pendingSince === null ? null : new Date(this.#pendingSince).toISOString();
  }

  /** Conflicts in a row without any change of the base: somebody answers 409 to what he says he holds. */
  get conflicts(): number {
    return this.#conflicts.baseVersion === this.#document.baseVersion ? this.#conflicts.count : 0;
  }

  /** A client's write was stored. */
  noteWrite(): void {
    this.#pendingSince ??= Date.now();
  }

  /**
   * What must be sent next, noted as sent before it is. `look`: what the primary holds must be pulled first. `null`: nothing is pending, or
   * what is pending is a dead letter.
   */
  async next(): Promise<Outgoing | "look" | null> {
    if (await this.#document.isInStep()) return this.#nothing(null);
    return await this.#document.update<Outgoing | "look" | null>(async ({ record, local: { document } }) => {
      if (!document || !isPending(record, document)) {
        // What was sent and then taken back here may be what the primary holds.
        if (record.sent.length > 0 && this.#document.primaryState === "unknown") return [record, "look"];
        return [record.deadLetter ? { ...record, deadLetter: null } : record, this.#nothing(null)];
      }
      if (record.deadLetter?.hash === document.hash) return [record, this.#nothing(record.deadLetter)];
      this.noteWrite();
      if (record.base?.filtered) {
        const deadLetter = this.#filtered(document.hash);
        return [{ ...record, deadLetter }, this.#nothing(deadLetter)];
      }
      if (this.#mustLook(record)) return [record, "look"];
      const others = record.sent.filter(({ hash }) => hash !== document.hash);
      const sent = [...others, document].slice(-MAX_SENT);
      const again = others.length < record.sent.length;
      const { baseVersion } = this.#document;
      const outgoing = { ...document, baseHash: this.#baseHash(record.base), baseVersion, again };
      this.#deadLetter = null;
      return [{ ...record, sent, deadLetter: null }, outgoing];
    });
  }

  /**
   * The primary accepted it.
   * @returns whether there is more to do, as far as can be told without a look at the record
   */
  async confirm(outgoing: Outgoing, hash: string): Promise<boolean> {
    await this.#document.update(async ({ record }) => {
      // A pull was faster and has taken the primary's document over, whatever it was by then.
      if (this.#document.baseVersion !== outgoing.baseVersion) return [record, undefined];
      if (hash !== outgoing.hash) {
        // The primary stored something else than we sent: only a pull can tell what.
        this.#document.wantPull();
        return [record, undefined];
      }
      const { data, proof } = outgoing;
      const base: Base = { data, proof, remoteHash: hash, localHash: hash, filtered: false };
      return [{ ...record, base, sent: [], deadLetter: null, dropped: null }, undefined];
    });
    const more = !(await this.#document.isInStep());
    if (!more) this.#nothing(null);
    return more;
  }

  /** The primary certainly did not store it, this time. */
  async reject(outgoing: Outgoing, conflict = false): Promise<void> {
    if (conflict) this.#conflicts = { baseVersion: this.#document.baseVersion, count: this.conflicts + 1 };
    await this.#document.update(async ({ record }) => [without(record, outgoing), undefined]);
  }

  /** The primary will never store it. */
  async bury(outgoing: Outgoing, letter: Omit<DeadLetter, "hash" | "at">): Promise<void> {
    const deadLetter = { ...letter, hash: outgoing.hash, at: new Date().toISOString() };
    this.#nothing(deadLetter);
    await this.#document.update(async ({ record }) => [{ ...without(record, outgoing), deadLetter }, undefined]);
  }

  /** Forgets that it was refused. `false`: there is no dead letter. */
  async retry(): Promise<boolean> {
    return await this.#document.update(async ({ record }) => {
      if (!record.deadLetter) return [record, false];
      this.#deadLetter = null;
      return [{ ...record, deadLetter: null }, true];
    });
  }

  /**
   * Gives up what was refused. Where clients read here, the local document becomes the primary's again; where nobody does, or the primary has
   * none, it stays and is not sent until somebody writes again. `false`: there is no dead letter, or a client was faster.
   */
  async drop(restores: boolean): Promise<boolean> {
    return await this.#document.update(async ({ record, local }) => {
      if (!record.deadLetter || record.deadLetter.hash !== local.document?.hash) return [record, false];
      if (restores && record.base && !(await this.#document.restore(record.base, local))) return [record, false];
      const dropped = restores && record.base ? null : (local.document?.hash ?? null);
      return [{ ...record, deadLetter: null, dropped }, this.#nothing(null) === null];
    });
  }

  #nothing(deadLetter: DeadLetter | null): null {
    this.#deadLetter = deadLetter;
    this.#pendingSince = deadLetter === null ? null : this.#pendingSince;
    return null;
  }

  #mustLook({ base, sent }: BaseRecord): boolean {
    if (this.#document.primaryState !== "unknown") return false;
    return this.#document.pullWanted || sent.length > 0 || (base === null && !this.#options.trustsFirstPush);
  }

  /** Where a pull shows no document, there may be none, an expired one that still has its hash, or a corrupt one, whose hash is empty. */
  #baseHash(base: Base | null): string | null {
    if (this.#document.primaryState !== "missing") return base?.remoteHash ?? null;
    const candidates = [null, ...(base ? [base.remoteHash] : []), ""];
    return candidates[this.conflicts % candidates.length] ?? null;
  }

  #filtered(hash: string): DeadLetter {
    const message = `${this.#document.name}: the primary hides fields from us, and sending this document would erase them`;
    const error = new ReplicaError("FILTERED_DOCUMENT", message, {
      hint: "Let the replica read all fields at the primary, or use push_through for this collection.",
    });
    this.#options.onDeadLetter?.(error);
    return { code: error.code, status: null, message, at: new Date().toISOString(), hash };
  }
}

/** A document that we put here ourselves stands under the primary's hash; a client's stands under its own. */
function isPending({ base, dropped }: BaseRecord, { data, hash }: DocumentContent): boolean {
  if (hash === dropped) return false;
  if (!base) return true;
  if (hash === base.remoteHash) return false;
  return !base.filtered || documentHash(data) !== documentHash(base.data);
}

function without(record: BaseRecord, { hash, again }: Outgoing): BaseRecord {
  if (again) return record;
  return { ...record, sent: record.sent.filter((content) => content.hash !== hash) };
}
