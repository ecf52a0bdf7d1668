import type { Channel, SyncOutcome } from "../scheduler/channel.js";
import type { SyncContext } from "../scheduler/sync-context.js";
import type { CollectionSettings } from "./collection-settings.js";
import { type DocumentTarget, localConflict, WRITE_ATTEMPTS } from "./document-target.js";
import { MissingWatch } from "./missing-watch.js";
import type { PrimaryClient } from "./primary-client.js";

const NOTHING: SyncOutcome = { changed: false, items: 0, bytes: 0 };

/** Makes the local copy of one Starfish document match its primary's, as the collection's write mode says. */
export class CollectionChannel implements Channel {
  readonly name: string;
  readonly #settings: CollectionSettings;
  readonly #primary: PrimaryClient;
  /** `null`: the mode pulls nothing. */
  readonly #target: DocumentTarget | null;
  readonly #missing = new MissingWatch();
  /** Told after each look at the primary, and whether the one before had failed. */
  readonly #onSynced: (recovered: boolean) => void;
  #failing = false;

  constructor(
    settings: CollectionSettings,
    primary: PrimaryClient,
    target: DocumentTarget | null,
    onSynced: (recovered: boolean) => void = () => {},
  ) {
    this.name = settings.name;
    this.#settings = settings;
    this.#primary = primary;
    this.#target = target;
    this.#onSynced = onSynced;
  }

  /** Since when the primary has had no document; ISO 8601, or `null`. */
  get missingSince(): string | null {
    return this.#missing.since;
  }

  /** Whether a document of the primary's is no news here. */
  async knows(hash: string): Promise<boolean> {
    return (await this.#target?.knows(hash)) ?? false;
  }

  /** One conditional pull. What it brings is replaced or merged; where something newer got in meanwhile it is asked for again. */
  async sync({ signal }: SyncContext): Promise<SyncOutcome> {
    try {
      const outcome = await this.#sync(signal);
      const recovered = this.#failing;
      this.#failing = false;
      this.#onSynced(recovered);
      return outcome;
    } catch (error) {
      this.#failing = true;
      throw error;
    }
  }

  async #sync(signal: AbortSignal): Promise<SyncOutcome> {
    if (!this.#target) return NOTHING;
    let bytes = 0;
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const known = await this.#target.known();
      if (!known) return NOTHING;
      const { hash, generation } = known;
      const result = await this.#primary.pull(hash, signal);
      signal.throwIfAborted();
      bytes += result.bytes;
      if (result.kind === "missing") {
        this.#missing.saw();
        const certain = this.#missing.isCertain(this.#settings.missingGraceMs);
        return { changed: await this.#target.missing(certain, generation), items: 1, bytes };
      }
      this.#missing.clear();
      if (result.kind === "unchanged") {
        this.#target.unchanged();
        return { changed: false, items: 1, bytes };
      }
      const changed = await this.#target.apply(result.document, generation, signal);
      if (changed !== "superseded") return { changed, items: 1, bytes };
    }
    throw localConflict(this.name);
  }

  async close(): Promise<void> {
    await this.#target?.close();
  }
}
