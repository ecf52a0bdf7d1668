import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ReplicaError } from "../errors.js";
import type { Accounts } from "./accounts/accounts.js";
import { DiskReserve } from "./disk-reserve.js";
import type { SyncEndpoint } from "./server/sync-endpoint.js";
import type { PageStore } from "./store/page-store.js";

export interface DatabaseRemovalOptions {
  /** The page server's folder. */
  readonly dir: string;
  readonly accounts: Pick<Accounts, "database" | "deleteDatabase" | "databaseIds">;
  readonly store: Pick<PageStore, "ids" | "remove">;
  readonly onError: (error: unknown) => void;
}

/** Longer lists help nobody. */
const SHOWN = 5;

/**
 * Deletes databases: the account's row first, so that no sync begins any more, then the files. A mark in `<dir>/deleting` stands for what is under way, so
 * that a crash in between is finished at the next start. Files that nobody asked to delete stay, whatever the accounts say: they may have been put back from
 * an older copy.
 */
export class DatabaseRemoval {
  readonly #options: DatabaseRemovalOptions;
  readonly #marks: string;
  readonly #reserve: DiskReserve;

  constructor(options: DatabaseRemovalOptions) {
    this.#options = options;
    this.#marks = join(options.dir, "deleting");
    this.#reserve = new DiskReserve(options.dir);
  }

  /** @throws `UNKNOWN_DATABASE`, also where it is somebody else's */
  async remove(orgId: string, databaseId: string, endpoint: Pick<SyncEndpoint, "endDatabase">): Promise<void> {
    const { accounts, store } = this.#options;
    // Only an id of ours becomes the name of a file.
    const { id } = await accounts.database(orgId, databaseId);
    await this.#withReserve(async () => {
      await this.#mark(id);
      await accounts.deleteDatabase(orgId, id);
    });
    await endpoint.endDatabase(id);
    await store.remove(id);
    await rm(join(this.#marks, id), { force: true });
    await this.#reserve.take();
  }

  /** Finishes what a crash has cut short; what cannot be finished is tried at the next start. Files that belong to no account are told to `onError`. */
  async finish(): Promise<void> {
    const { accounts, store, onError } = this.#options;
    const known = new Set(await accounts.databaseIds());
    const marked = new Set(await readdir(this.#marks).catch(() => []));
    const strangers: string[] = [];
    for (const id of await store.ids()) {
      if (known.has(id)) continue;
      if (!marked.has(id)) strangers.push(id);
      else {
        await store.remove(id).catch((error: unknown) => {
          marked.delete(id);
          onError(error);
        });
      }
    }
    for (const id of marked) await rm(join(this.#marks, id), { force: true }).catch(onError);
    if (strangers.length > 0) onError(belongToNobody(strangers));
    await this.#reserve.take();
  }

  /** A deletion is how a full disk gets room again, and takes some first. */
  async #withReserve(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ReplicaError) || error.code !== "PAGE_STORE") throw error;
      await this.#reserve.free();
      await work();
    }
  }

  async #mark(id: string): Promise<void> {
    try {
      await mkdir(this.#marks, { recursive: true });
      await writeFile(join(this.#marks, id), "");
    } catch (error) {
      throw new ReplicaError("PAGE_STORE", `The folder ${this.#options.dir} cannot be written`, {
        hint: "Make room on its disk, and let this user write there",
        retryable: true,
        cause: error,
      });
    }
  }
}

function belongToNobody(ids: readonly string[]): ReplicaError {
  const shown = ids.slice(0, SHOWN).join(", ");
  const more = ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : "";
  return new ReplicaError("PAGE_STORE", `There are files of databases that no account has: ${shown}${more}`, {
    hint: "Put back the accounts.db that belongs to them, or remove the files",
  });
}
