import { ReplicaError } from "../../errors.js";
import type { PageHashes } from "../hashes/page-hashes.js";
import { FilePageStaging } from "./file-page-staging.js";
import { emptyVersion, FilePageVersion } from "./file-page-version.js";
import { Leftovers } from "./leftovers.js";
import type { PageStaging, PageVersion, StagingRequest } from "./page-store.js";
import type { PinnedVersion, StoredDatabase } from "./stored-database.js";
import { UnitHashes } from "./unit-hashes.js";

/** One database of a store: begins what is read and pushed of it. */
export class DatabaseEntry {
  readonly database: StoredDatabase;
  readonly leftovers: Leftovers;
  readonly #units: UnitHashes;

  constructor(database: StoredDatabase) {
    this.database = database;
    this.leftovers = new Leftovers(database.places.staging, database.hasher);
    this.#units = new UnitHashes(database);
  }

  async read(unit: number | undefined): Promise<PageVersion> {
    return await this.database.attempt("Reading a stored database", async () => {
      const pinned = await this.database.pin();
      if (pinned === null) return emptyVersion();
      return await orClose(pinned, async () => {
        const { header } = pinned;
        const pageSize = unit === undefined ? header.pageSize : checkPageSize(unit);
        const list = await this.#list(pinned, pageSize);
        const own = list === pinned.list || list.pageCount === 0;
        const rootHash = own ? header.rootHash : await list.combined(1, list.pageCount);
        return new FilePageVersion(this.database, pinned, { pageSize, list, rootHash });
      });
    });
  }

  async stage(request: StagingRequest): Promise<PageStaging> {
    const unit = checkPageSize(request.pageSize);
    const { pageCount, maxBytes } = request;
    if (!Number.isInteger(pageCount) || pageCount < 0) throw new RangeError(`${pageCount} is no number of pages`);
    if (pageCount * unit > maxBytes) throw tooLarge(this.database.id, pageCount * unit, maxBytes);
    return await this.database.attempt("Beginning a push", async () => {
      const pinned = await this.database.pin().catch((error: unknown) => {
        // A version that cannot be read any more can be pushed again.
        if (this.database.isDamaged) return null;
        throw error;
      });
      if (pinned === null) return await this.#begin(request, await this.database.generation(), null);
      return await orClose(pinned, async () => {
        const unitList = await this.#list(pinned, unit);
        return await orClose({ list: unitList }, () =>
          this.#begin(request, pinned.header.generation, { ...pinned, unitList }),
        );
      });
    });
  }

  async #begin(
    request: StagingRequest,
    generation: number,
    pinned: (PinnedVersion & { readonly unitList: PageHashes }) | null,
  ): Promise<PageStaging> {
    const { database, leftovers } = this;
    const pushed = await database.inTurn(() => leftovers.take(request.pageSize));
    const stored =
      pinned === null
        ? { generation, pageSize: 0, pageCount: 0, rootHash: null }
        : {
            generation,
            pageSize: pinned.header.pageSize,
            pageCount: pinned.header.pageCount,
            rootHash: pinned.header.rootHash,
          };
    return new FilePageStaging({ database, leftovers, request, stored, pinned, pushed });
  }

  /** The hashes of pages of this size. */
  async #list(pinned: PinnedVersion, unit: number): Promise<PageHashes> {
    return unit === pinned.header.pageSize ? pinned.list : await this.#units.open(pinned, unit);
  }
}

/** What is open is closed where the work fails. */
async function orClose<T>(
  open: { readonly list: PageHashes; readonly file?: PinnedVersion["file"] },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await open.list.close();
    await open.file?.close();
    throw error;
  }
}

function checkPageSize(pageSize: number): number {
  const power = Number.isInteger(pageSize) && (pageSize & (pageSize - 1)) === 0;
  if (power && pageSize >= 512 && pageSize <= 65_536) return pageSize;
  throw new RangeError(`${pageSize} is no page size`);
}

function tooLarge(id: string, bytes: number, maxBytes: number): ReplicaError {
  return new ReplicaError(
    "QUOTA_EXCEEDED",
    `The database "${id}" would take ${bytes} bytes, but ${maxBytes} are allowed`,
    { hint: "Make it smaller (`VACUUM` gives back what was deleted), or have the server's limit raised." },
  );
}
