import type { DocumentContent } from "../modes/document-content.js";
import type { Reconcile } from "../modes/reconcile.js";
import type { BaseRecords } from "./base-records.js";
import { type DocumentTarget, localConflict, WRITE_ATTEMPTS } from "./document-target.js";
import { HashesInFlight } from "./hashes-in-flight.js";
import type { LocalCopy } from "./local-copy.js";
import type { PulledDocument } from "./pull-answer.js";

/**
 * A local document that is the primary's, stored under the primary's hash: that hash is all there is to remember.
 *
 * A forwarded write may be taken over while a pull is under way, whose answer is then older. Each takeover begins a new generation, and
 * an answer to a question of an earlier generation is not applied.
 */
export class ReplacedDocument implements DocumentTarget {
  readonly #name: string;
  readonly #local: LocalCopy;
  readonly #records: BaseRecords;
  readonly #reconcile: Reconcile;
  /** Forwarded writes. */
  readonly inFlight: HashesInFlight = new HashesInFlight();
  #generation = 0;
  #marked = false;

  readonly #removesMissing: boolean;

  constructor(name: string, local: LocalCopy, records: BaseRecords, reconcile: Reconcile, missing: "keep" | "remove") {
    this.#name = name;
    this.#removesMissing = missing === "remove";
    this.#local = local;
    this.#records = records;
    this.#reconcile = reconcile;
  }

  get generation(): number {
    return this.#generation;
  }

  async known(): Promise<{ hash: string | null; generation: number }> {
    const generation = this.#generation;
    return { hash: await this.#local.readHash(), generation };
  }

  async knows(hash: string): Promise<boolean> {
    return this.inFlight.has(hash) || (await this.#local.readHash()) === hash;
  }

  async apply(remote: PulledDocument, generation: number, signal: AbortSignal): Promise<boolean | "superseded"> {
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const state = await this.#local.read();
      signal.throwIfAborted();
      if (generation !== this.#generation) return "superseded";
      const content = this.#reconcile({ local: state.document, remote, base: null });
      if (!content) return false;
      await this.#markReplaced();
      if (await this.#local.write(content, state)) return true;
    }
    throw localConflict(this.#name);
  }

  async close(): Promise<void> {}

  unchanged(): void {}

  async missing(certain: boolean, generation: number): Promise<boolean> {
    if (!certain || !this.#removesMissing) return false;
    const { baseHash } = await this.#local.read();
    if (baseHash === null || generation !== this.#generation) return false;
    await this.#local.remove();
    return true;
  }

  /**
   * Takes over a write that the primary has just accepted, without asking it again. Only when the local document is the one that the
   * write replaced, and nothing got in since `generation`: what the primary holds now is then certain.
   */
  async takeOver(content: DocumentContent, baseHash: string | null, generation: number): Promise<boolean> {
    if (generation !== this.#generation) return false;
    const state = await this.#local.read();
    if (generation !== this.#generation || state.baseHash !== baseHash) return false;
    this.#generation += 1;
    await this.#markReplaced();
    return await this.#local.write(content, state);
  }

  /** What another mode remembered must not be taken for the truth if that mode comes back. */
  async #markReplaced(): Promise<void> {
    if (this.#marked) return;
    await this.#records.markReplaced();
    this.#marked = true;
  }

  /** The local document, for who must know what readers have seen of it. */
  async current(): Promise<DocumentContent | null> {
    return (await this.#local.read()).document;
  }
}
