import { ReplicaError } from "../errors.js";
import { type BaseRecord, EMPTY_RECORD } from "./base-record.js";
import type { CollectionStore } from "./collection-store.js";
import { parseRecord, RECORD_VERSION } from "./parse-record.js";

/** Reads and writes our own record about one collection, beside its document in the same store. */
export class BaseRecords {
  readonly #store: CollectionStore;
  readonly #key: string;
  readonly #onCorrupt: (error: ReplicaError) => void;

  constructor(store: CollectionStore, key: string, onCorrupt: (error: ReplicaError) => void) {
    this.#store = store;
    this.#key = key;
    this.#onCorrupt = onCorrupt;
  }

  /** A value that is no record is kept aside, reported, and counts as none: the next merge has no base, and loses nobody's field. */
  async load(): Promise<BaseRecord> {
    const raw = await this.#store.get(this.#key);
    if (!raw) return EMPTY_RECORD;
    const record = parseRecord(raw);
    if (record) return record;
    const aside = `${this.#key}.corrupt-${Date.now()}`;
    await this.#store.put(aside, raw);
    await this.#store.delete(this.#key);
    this.#onCorrupt(
      new ReplicaError("STATE_CORRUPT", `the record "${this.#key}" could not be read and is kept as "${aside}"`, {
        hint: "Fields that exist only here stay, and the primary wins where both differ. Delete the copy when you have looked at it.",
      }),
    );
    return EMPTY_RECORD;
  }

  async save(record: BaseRecord): Promise<void> {
    await this.#store.put(this.#key, JSON.stringify({ v: RECORD_VERSION, ...record }));
  }

  /** Notes that a mode which replaces writes the local document from now on. Where there is no record, none is begun. */
  async markReplaced(): Promise<void> {
    if (await this.#store.get(this.#key)) await this.save({ ...EMPTY_RECORD, replaced: true });
  }
}
