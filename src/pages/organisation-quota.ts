import { ReplicaError } from "../errors.js";
import type { Accounts } from "./accounts/accounts.js";
import type { StorageQuota } from "./server/sync-endpoint.js";
import type { PageStore } from "./store/page-store.js";

export interface OrganisationQuotaOptions {
  readonly accounts: Pick<Accounts, "listDatabases">;
  readonly store: Pick<PageStore, "bytes" | "trimLeftovers">;
  readonly maxDatabaseBytes: number;
  readonly maxOrganisationBytes: number;
}

/** Databases looked at in one go: an organisation may have thousands. */
const AT_ONCE = 32;

/**
 * What the databases of an organisation may take: of each the larger of what is stored and what a push under way will make of it. What pushes that broke
 * off have left is kept where that leaves room for it.
 */
export class OrganisationQuota implements StorageQuota {
  readonly #options: OrganisationQuotaOptions;
  /** Bytes of the pushes under way, by organisation and database. */
  readonly #held = new Map<string, Map<string, number[]>>();

  constructor(options: OrganisationQuotaOptions) {
    this.#options = options;
  }

  async reserve(orgId: string, databaseId: string, bytes: number): Promise<() => void> {
    const { maxDatabaseBytes, maxOrganisationBytes } = this.#options;
    if (bytes > maxDatabaseBytes) {
      throw exceeded(`This database would take ${bytes} bytes, and one may take ${maxDatabaseBytes}`);
    }
    // Held first, so that of two pushes that come at once at least one sees the other.
    const release = this.#hold(orgId, databaseId, bytes);
    try {
      const ids = (await this.#options.accounts.listDatabases(orgId)).map(({ id }) => id);
      const otherIds = ids.filter((id) => id !== databaseId);
      const others = await this.#sum(otherIds, (id) => this.#bytesOf(orgId, id));
      if (others + bytes > maxOrganisationBytes) {
        throw exceeded(
          `This database would take ${bytes} bytes and the others of its organisation take ${others}, and all together may take ${maxOrganisationBytes}`,
        );
      }
      await this.#trimLeftovers(ids, maxOrganisationBytes - others - bytes);
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  async #trimLeftovers(ids: readonly string[], maxBytes: number): Promise<void> {
    const { store } = this.#options;
    const found: string[] = [];
    await this.#sum(ids, async (id) => {
      const bytes = await store.trimLeftovers(id, Number.POSITIVE_INFINITY);
      if (bytes > 0) found.push(id);
      return bytes;
    });
    // One after the other, since each takes of the same room.
    let room = maxBytes;
    for (const id of found) room -= await this.#sum([id], () => store.trimLeftovers(id, room));
  }

  /** A database that is deleted meanwhile counts nothing. */
  async #sum(ids: readonly string[], bytesOf: (id: string) => Promise<number>): Promise<number> {
    const there = async (id: string): Promise<number> => {
      try {
        return await bytesOf(id);
      } catch (error) {
        if (error instanceof ReplicaError && error.code === "UNKNOWN_DATABASE") return 0;
        throw error;
      }
    };
    let sum = 0;
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      for (const bytes of await Promise.all(ids.slice(from, from + AT_ONCE).map(there))) sum += bytes;
    }
    return sum;
  }

  async #bytesOf(orgId: string, databaseId: string): Promise<number> {
    const stored = await this.#options.store.bytes(databaseId);
    return Math.max(stored, ...(this.#held.get(orgId)?.get(databaseId) ?? []));
  }

  #hold(orgId: string, databaseId: string, bytes: number): () => void {
    const databases = this.#held.get(orgId) ?? new Map<string, number[]>();
    const held = databases.get(databaseId) ?? [];
    this.#held.set(orgId, databases);
    databases.set(databaseId, held);
    held.push(bytes);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      held.splice(held.indexOf(bytes), 1);
      if (held.length === 0) databases.delete(databaseId);
      if (databases.size === 0) this.#held.delete(orgId);
    };
  }
}

function exceeded(what: string): ReplicaError {
  return new ReplicaError("QUOTA_EXCEEDED", what, {
    hint: "Delete rows and VACUUM, delete databases that nobody needs, or ask whoever runs the server for more room",
  });
}
