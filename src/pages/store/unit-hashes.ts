import { rename, rm } from "node:fs/promises";
import { makeFolder } from "../../files/durable-folder.js";
import { openPageHashes } from "../hashes/open-page-hashes.js";
import type { PageHashes } from "../hashes/page-hashes.js";
import { sameStamp } from "./file-stamp.js";
import { hashPages } from "./hash-pages.js";
import { HASHES_OFFSET } from "./hashes-header.js";
import type { PinnedVersion, StoredDatabase } from "./stored-database.js";
import { Turns } from "./turns.js";
import { openHashes, sealHashes, writeHashes } from "./version-hashes.js";

/** Hashes of pages of another size than a database's own, made once for each version. */
export class UnitHashes {
  readonly #database: StoredDatabase;
  readonly #turns = new Turns();

  constructor(database: StoredDatabase) {
    this.#database = database;
  }

  /** A list of the caller's own. */
  open(pinned: PinnedVersion, unit: number): Promise<PageHashes> {
    return this.#turns.run(() => this.#open(pinned, unit));
  }

  async #open({ header, file }: PinnedVersion, unit: number): Promise<PageHashes> {
    const { places, hasher } = this.#database;
    const path = places.hashes(header.generation, unit);
    const kept = unit === header.pageSize ? null : await openHashes(path, hasher);
    if (kept !== null) {
      const { generation, pageSize } = kept.header;
      if (generation === header.generation && pageSize === unit && sameStamp(kept.header, header)) return kept.list;
      await kept.list.close();
    }
    await makeFolder(places.staging);
    const temp = places.unfinished();
    try {
      const pageCount = Math.ceil(header.bytes / unit);
      const rootHash = await writeHashes(temp, hashPages(file, header.bytes, unit, hasher), hasher);
      await sealHashes(temp, { ...header, pageSize: unit, pageCount, rootHash }, hasher);
      const list = await openPageHashes(temp, { pageCount, offset: HASHES_OFFSET });
      await this.#database.inTurn(async () => {
        if (this.#database.isCurrent(header.generation)) await rename(temp, path);
      });
      return list;
    } finally {
      await rm(temp, { force: true });
    }
  }
}
