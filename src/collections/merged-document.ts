import { ReplicaError } from "../errors.js";
import type { DocumentContent } from "../modes/document-content.js";
import type { MergeRule } from "../modes/merge-rule.js";
import type { Reconcile, ReconcileInput } from "../modes/reconcile.js";
import { documentHash } from "../protocol/canonical-json.js";
import { type Base, type BaseRecord, EMPTY_RECORD } from "./base-record.js";
import type { BaseRecords } from "./base-records.js";
import { type DocumentTarget, localConflict, WRITE_ATTEMPTS } from "./document-target.js";
import { HashesInFlight } from "./hashes-in-flight.js";
import type { LocalState } from "./local-copy.js";
import type { MergeableCopy, MergeState, PrimaryState } from "./merge-state.js";
import type { PulledDocument } from "./pull-answer.js";

export interface MergedDocumentOptions {
  /** The collection's own merge. Default: the three-way merge. */
  readonly rule?: MergeRule;
  /** Ask the primary only when `wantPull` was called. Default `false`: whenever the channel runs. */
  readonly onDemand?: boolean;
}

/** The primary's side of a merge. */
interface Remote extends DocumentContent {
  readonly filtered: boolean;
}

/**
 * A local document that clients write and the primary's changes are merged into.
 *
 * A merge is three writes: the intent, the document, the new base. Between the first and the last no client's write is let in
 * (`settled`), so that after a crash the local document tells which of them happened: it has the intent's `localHash`, or its `fromHash`,
 * and the merge is finished from the intent before anything else.
 */
export class MergedDocument implements DocumentTarget {
  readonly name: string;
  readonly #local: MergeableCopy;
  readonly #records: BaseRecords;
  readonly #reconcile: Reconcile;
  readonly #options: MergedDocumentOptions;
  /** The last of the sections that must not overlap. */
  #section: Promise<unknown> = Promise.resolve();
  /** The record's `remoteHash` once no intent is open; `undefined`: not known, look first. */
  #remoteHash: string | null | undefined;
  /** Pushes of the outbox. One whose answer was lost is none any more: news of it is worth a look. */
  readonly inFlight: HashesInFlight = new HashesInFlight();
  /** Of the pushes in the record's `sent`. */
  #sentHashes: ReadonlySet<string> = new Set();
  #closed = false;
  #seenInStep = false;
  #wanted = false;
  /** How often a pull was wanted: ever, and when the last one asked. */
  #wants = 0;
  #askedWants = 0;
  #primaryState: PrimaryState = "unknown";
  #baseVersion = 0;

  constructor(
    name: string,
    local: MergeableCopy,
    records: BaseRecords,
    reconcile: Reconcile,
    options: MergedDocumentOptions = {},
  ) {
    this.name = name;
    this.#local = local;
    this.#records = records;
    this.#reconcile = reconcile;
    this.#options = options;
  }

  /** The primary's hash of what we were last merged with; `null` before. */
  get remoteHash(): string | null {
    return this.#remoteHash ?? null;
  }

  /** What the last pull since the last lost push said; `unknown` when there was none. */
  get primaryState(): PrimaryState {
    return this.#primaryState;
  }

  /** `wantPull` was called, and no pull has ended since. */
  get pullWanted(): boolean {
    return this.#wanted;
  }

  /** Whether the local document is the one that the primary has, and no lost push may have changed that. Cheaper than `update`. */
  async isInStep(): Promise<boolean> {
    const remoteHash = await this.#recovered();
    return remoteHash !== null && this.#sentHashes.size === 0 && (await this.#readHash()) === remoteHash;
  }

  /** Whether it was so when the last pull began. A client's write since then is told of by itself. */
  get seenInStep(): boolean {
    return this.#seenInStep;
  }

  /** Changes whenever the base does. */
  get baseVersion(): number {
    return this.#baseVersion;
  }

  async known(): Promise<{ hash: string | null; generation: number } | null> {
    this.#closed = false;
    const remoteHash = await this.#recovered();
    if (this.#options.onDemand && !this.#wanted) return null;
    const generation = this.#baseVersion;
    this.#askedWants = this.#wants;
    const localHash = await this.#readHash();
    this.#seenInStep = localHash !== null && localHash === remoteHash && this.#sentHashes.size === 0;
    return { hash: localHash === null ? null : remoteHash, generation };
  }

  async knows(hash: string): Promise<boolean> {
    return this.inFlight.has(hash) || (hash === this.#remoteHash && (await this.#readHash()) !== null);
  }

  /** What the primary holds must be looked at before anything is sent, also where the mode pulls nothing by itself. */
  wantPull(): void {
    this.#wants += 1;
    this.#wanted = true;
    this.#primaryState = "unknown";
  }

  /** Lets the next run ask the primary, where the mode asks nothing by itself. A pull under way will do. */
  allowPull(): void {
    this.#wanted = true;
  }

  async apply(document: PulledDocument, generation: number, signal: AbortSignal): Promise<boolean | "superseded"> {
    const remote: Remote = { ...document, filtered: isFiltered(document) };
    return await this.#exclusively(async () => {
      await this.#recover();
      signal.throwIfAborted();
      // The primary took a push after it had been asked: this may be what it held before that.
      if (generation !== this.#baseVersion && !(await this.#isOurs(document.hash))) return "superseded";
      const changed = await this.#merge(remote);
      this.#seenInStep = false;
      this.#looked("document");
      return changed;
    });
  }

  unchanged(): void {
    this.#looked("document");
  }

  /** Clients' writes live here: a primary without the document takes nothing away. */
  async missing(): Promise<boolean> {
    this.#looked("missing");
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
      throw new ReplicaError("STOPPED", `${this.name}: replication is stopped`);
    }
    await this.#recovered();
    await this.#section;
  }

  /** Works on record and document while nothing else does. What it gives back is saved, unless it is the same record. */
  async update<T>(work: (state: MergeState) => Promise<readonly [BaseRecord, T]>): Promise<T> {
    return await this.#exclusively(async () => {
      await this.#recover();
      const record = await this.#records.load();
      const [next, result] = await work({ record, local: await this.#local.read() });
      if (next !== record) await this.#save(next);
      return result;
    });
  }

  /** Makes the local document the primary's again. Only within `update`. */
  async restore({ data, remoteHash, proof }: Base, local: LocalState): Promise<boolean> {
    return await this.#local.write({ data, hash: remoteHash, proof }, local);
  }

  async #isOurs(hash: string): Promise<boolean> {
    return hash === this.#remoteHash || (await this.#records.load()).sent.some((content) => content.hash === hash);
  }

  /** The local side may have to fold before it can tell, and must not while a merge is written. */
  #readHash(): Promise<string | null> {
    return this.#exclusively(() => this.#local.readHash());
  }

  /** A pull has ended. One that had asked before it was wanted again does not answer that. */
  #looked(state: PrimaryState): void {
    if (this.#askedWants !== this.#wants) return;
    this.#primaryState = state;
    this.#wanted = false;
  }

  async #recovered(): Promise<string | null> {
    if (this.#remoteHash === undefined) await this.#exclusively(() => this.#recover());
    return this.#remoteHash ?? null;
  }

  /** Finishes a merge that was cut between its writes, and takes over what another mode left. */
  async #recover(): Promise<void> {
    if (this.#remoteHash !== undefined) return;
    const record = await this.#records.load();
    const { base, intent } = record;
    if (record.replaced) return await this.#adopt();
    if (!intent) {
      this.#remoteHash = base?.remoteHash ?? null;
      this.#sentHashes = new Set(record.sent.map(({ hash }) => hash));
      return;
    }
    const { document } = await this.#local.read();
    if (document?.hash === intent.localHash)
      return await this.#save({ ...record, base: intent, intent: null, sent: [] });
    // A third document is a client's, on top of what the merge began with or of what it gave. Its own changes must not be lost to a
    // primary's that it may have seen.
    const winner = (document?.hash ?? null) === intent.fromHash ? "remote" : "local";
    const remote = { data: intent.data, hash: intent.remoteHash, proof: intent.proof, filtered: intent.filtered };
    await this.#merge(remote, winner);
  }

  /** In a mode that replaces nobody writes here but us: the document is the primary's own. */
  async #adopt(): Promise<void> {
    const { document } = await this.#local.read();
    if (!document) return await this.#save(EMPTY_RECORD);
    const { data, hash, proof } = document;
    const base: Base = { data, remoteHash: hash, localHash: hash, filtered: documentHash(data) !== hash, proof };
    await this.#save({ ...EMPTY_RECORD, base });
  }

  async #merge(remote: Remote, winner: "remote" | "local" = "remote"): Promise<boolean> {
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const record = await this.#records.load();
      const local = await this.#local.read();
      const content = this.#reconcile({ ...this.#input(record, local, remote), winner });
      const base = mergedBase(remote, content, local);
      // While the primary holds what they were based on, they may still arrive.
      const sent = remote.hash === record.base?.remoteHash ? record.sent : [];
      const merged: BaseRecord = { ...record, base, intent: null, sent };
      if (!content) {
        await this.#save(merged);
        return false;
      }
      this.#remoteHash = undefined;
      await this.#records.save({ ...record, intent: { ...base, fromHash: local.document?.hash ?? null } });
      if (await this.#local.write(content, local)) {
        await this.#save(merged);
        return true;
      }
    }
    throw localConflict(this.name);
  }

  /** A push whose answer was lost and which the primary now holds is the base: later local edits are edits of it. */
  #input(record: BaseRecord, { document }: LocalState, remote: Remote): ReconcileInput {
    const { rule } = this.#options;
    const landed = record.sent.find(({ hash }) => hash === remote.hash);
    const base = landed?.data ?? record.base?.data ?? null;
    const sent = landed ? [] : record.sent.map(({ data }) => data);
    // Given up by the operator, and nothing of the primary's is in it.
    const local = base === null && document?.hash === record.dropped ? null : document;
    return { local, remote, base, sent, ...(rule && { rule }) };
  }

  async #save(record: BaseRecord): Promise<void> {
    const remoteHash = record.base?.remoteHash ?? null;
    await this.#records.save(record);
    this.#sentHashes = new Set(record.sent.map(({ hash }) => hash));
    if (this.#remoteHash === remoteHash) return;
    this.#baseVersion += 1;
    this.#remoteHash = remoteHash;
    if (remoteHash !== null) this.#primaryState = "document";
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const section = this.#section.then(work);
    this.#section = section.catch(() => {});
    return section;
  }
}

function mergedBase({ data, hash, proof, filtered }: Remote, content: DocumentContent | null, local: LocalState): Base {
  return { data, remoteHash: hash, localHash: content?.hash ?? local.document?.hash ?? hash, filtered, proof };
}

/** Whether the primary left out fields that we may not read. */
function isFiltered(document: PulledDocument): boolean {
  return documentHash(document.received) !== document.hash;
}
