import type { Channel, SyncOutcome } from "../scheduler/channel.js";
import type { SyncContext } from "../scheduler/sync-context.js";
import type { CollectionSettings } from "./collection-settings.js";
import { type DocumentTarget, localConflict, WRITE_ATTEMPTS } from "./document-target.js";
import { MissingWatch } from "./missing-watch.js";
import type { PrimaryClient } from "./primary-client.js";

/** Makes the local copy of one Starfish document match its primary's, as the collection's write mode says. */
export class CollectionChannel implements Channel {
  readonly name: string;
  readonly #settings: CollectionSettings;
  readonly #primary: PrimaryClient;
  /** `null`: the mode pulls nothing. */
  readonly #target: DocumentTarget | null;
  readonly #missing = new MissingWatch();

  constructor(settings: CollectionSettings, primary: PrimaryClient, target: DocumentTarget | null) {
    this.name = settings.name;
    this.#settings = settings;
    this.#primary = primary;
    this.#target = target;
  }

  /** Since when the primary has had no document; ISO 8601, or `null`. */
  get missingSince(): string | null {
    return this.#missing.since;
  }

  /** One conditional pull. What it brings is replaced or merged; where something newer got in meanwhile it is asked for again. */
  async sync({ signal }: SyncContext): Promise<SyncOutcome> {
    if (!this.#target) return { changed: false, items: 0, bytes: 0 };
    let bytes = 0;
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const { hash, generation } = await this.#target.known();
      const result = await this.#primary.pull(hash, signal);
      signal.throwIfAborted();
      bytes += result.bytes;
      if (result.kind === "missing") return { changed: await this.#onMissing(generation), items: 1, bytes };
      this.#missing.clear();
      if (result.kind === "unchanged") return { changed: false, items: 1, bytes };
      const changed = await this.#target.apply(result.document, generation, signal);
      if (changed !== "superseded") return { changed, items: 1, bytes };
    }
    throw localConflict(this.name);
  }

  async close(): Promise<void> {
    await this.#target?.close();
  }

  async #onMissing(generation: number): Promise<boolean> {
    this.#missing.saw();
    if (this.#settings.missing !== "remove" || !this.#missing.isCertain(this.#settings.missingGraceMs)) return false;
    return (await this.#target?.remove(generation)) ?? false;
  }
}
