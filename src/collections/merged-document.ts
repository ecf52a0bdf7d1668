import { ReplicaError } from "../errors.js";
import type { DocumentContent } from "../modes/document-content.js";
import type { Reconcile } from "../modes/reconcile.js";
import { documentHash } from "../protocol/canonical-json.js";
import type { Base, BaseRecords } from "./base-record.js";
import { type DocumentTarget, localConflict, WRITE_ATTEMPTS } from "./document-target.js";
import type { LocalCopy, LocalState } from "./local-copy.js";
import type { PulledDocument } from "./pull-answer.js";

/** The primary's side of a merge. */
interface Remote extends DocumentContent {
  readonly filtered: boolean;
}

/**
 * A local document that clients write and the primary's changes are merged into.
 *
 * A merge is three writes: the intent, the document, the new base. Between the first and the last no client's write is let in
 * (`settled`), so that after a crash the local document tells which of them happened: it has the intent's `localHash`, or it descends
 * from what the old base belongs to. Either way the merge is finished from the intent before anything else.
 */
export class MergedDocument implements DocumentTarget {
  readonly #name: string;
  readonly #local: LocalCopy;
  readonly #records: BaseRecords;
  readonly #reconcile: Reconcile;
  /** The last of the sections that must not overlap. */
  #section: Promise<unknown> = Promise.resolve();
  /** The record's `remoteHash` once no intent is open; `undefined`: not known, look first. */
  #remoteHash: string | null | undefined;
  #closed = false;

  constructor(name: string, local: LocalCopy, records: BaseRecords, reconcile: Reconcile) {
    this.#name = name;
    this.#local = local;
    this.#records = records;
    this.#reconcile = reconcile;
  }

  async known(): Promise<{ hash: string | null; generation: number }> {
    this.#closed = false;
    const remoteHash = await this.#recovered();
    const hash = (await this.#local.readHash()) === null ? null : remoteHash;
    return { hash, generation: 0 };
  }

  async apply(document: PulledDocument, _generation: number, signal: AbortSignal): Promise<boolean> {
    const remote: Remote = { ...document, filtered: isFiltered(document) };
    return await this.#exclusively(async () => {
      await this.#recover();
      signal.throwIfAborted();
      return await this.#merge(remote);
    });
  }

  /** Clients' writes live here: a primary without the document takes nothing away. */
  async remove(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#section;
  }

  /**
   * Resolves when no merge is half written: a client's write may then be let in.
   * @throws LOCAL_STORE; STOPPED where a merge is half written and nothing may be written any more
   */
  async settled(): Promise<void> {
    if (this.#closed && this.#remoteHash === undefined) {
      throw new ReplicaError("STOPPED", `${this.#name}: replication is stopped`);
    }
    await this.#recovered();
    await this.#section;
  }

  async #recovered(): Promise<string | null> {
    if (this.#remoteHash === undefined) await this.#exclusively(() => this.#recover());
    return this.#remoteHash ?? null;
  }

  /** Finishes a merge that was cut between its writes. */
  async #recover(): Promise<void> {
    if (this.#remoteHash !== undefined) return;
    const { base, intent } = await this.#records.load();
    if (!intent) {
      this.#remoteHash = base?.remoteHash ?? null;
      return;
    }
    const { document } = await this.#local.read();
    if (document?.hash === intent.localHash) await this.#commit(intent);
    else
      await this.#merge({ data: intent.data, hash: intent.remoteHash, proof: intent.proof, filtered: intent.filtered });
  }

  async #merge(remote: Remote): Promise<boolean> {
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const { base } = await this.#records.load();
      const state = await this.#local.read();
      const content = this.#reconcile({ local: state.document, remote, base: base?.data ?? null });
      const merged = mergedBase(remote, content, state);
      if (!content) {
        await this.#commit(merged);
        return false;
      }
      this.#remoteHash = undefined;
      await this.#records.save({ base, intent: merged });
      if (await this.#local.write(content, state)) {
        await this.#commit(merged);
        return true;
      }
    }
    throw localConflict(this.#name);
  }

  async #commit(base: Base): Promise<void> {
    await this.#records.save({ base, intent: null });
    this.#remoteHash = base.remoteHash;
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const section = this.#section.then(work);
    this.#section = section.catch(() => {});
    return section;
  }
}

function mergedBase({ data, hash, proof, filtered }: Remote, content: DocumentContent | null, state: LocalState): Base {
  return { data, remoteHash: hash, localHash: content?.hash ?? state.document?.hash ?? hash, filtered, proof };
}

/** Whether the primary left out fields that we may not read. */
function isFiltered(document: PulledDocument): boolean {
  return documentHash(document.received) !== document.hash;
}
