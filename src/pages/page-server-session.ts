import { ReplicaError } from "../errors.js";
import type { Session } from "../lifecycle.js";
import type { Accounts } from "./accounts/accounts.js";
import { createWorkerAccounts } from "./accounts/create-worker-accounts.js";
import type { AdminParts } from "./admin/admin-options.js";
import { DatabaseRemoval } from "./database-removal.js";
import { OrganisationQuota } from "./organisation-quota.js";
import type { PageServerSettings } from "./page-server-settings.js";
import { createSyncEndpoint } from "./server/create-sync-endpoint.js";
import type { SyncCommit, SyncEndpoint } from "./server/sync-endpoint.js";
import { createFilePageStore } from "./store/file-page-store.js";
import type { PageStore } from "./store/page-store.js";
import type { Tokens } from "./tokens/token-claims.js";

/** How long syncs may take to end when the server stops: a commit that has begun, an answer on its way. */
const CLOSE_GRACE_MS = 5_000;
/** What change events say they are about. */
const NAMESPACE = "pages";

/** What is open between `start()` and `stop()`. */
export class PageServerSession implements Session, AdminParts {
  readonly accounts: Accounts;
  readonly store: PageStore;
  readonly endpoint: SyncEndpoint;
  /** Whether it can be asked. */
  opened = false;
  readonly #settings: PageServerSettings;
  readonly #prepare: () => Promise<void>;
  readonly #removal: DatabaseRemoval;
  #closing: Promise<void> | null = null;

  /** @param prepare what else has to be there before anybody is answered */
  constructor(settings: PageServerSettings, tokens: Tokens, prepare: () => Promise<void>) {
    const { dir, maxDatabases, maxDatabaseBytes, maxOrganisationBytes, maxSyncs, idleSeconds, onError } = settings;
    this.#settings = settings;
    this.#prepare = prepare;
    this.accounts = createWorkerAccounts({ dir, maxDatabases });
    this.store = createFilePageStore({ dir, onError });
    const { accounts, store } = this;
    this.#removal = new DatabaseRemoval({ dir, accounts, store, onError });
    this.endpoint = createSyncEndpoint({
      tokens,
      accounts,
      store,
      quota: new OrganisationQuota({ accounts, store, maxDatabaseBytes, maxOrganisationBytes }),
      maxDatabaseBytes,
      maxSyncs,
      idleMs: idleSeconds * 1_000,
      onCommit: (commit) => this.#announce(commit),
      onError,
    });
  }

  /** @throws what `Accounts.open` and `PageStore.open` throw */
  async open(): Promise<void> {
    await this.#prepare();
    // The accounts have the folder's lock: nobody else touches the files once they are open.
    await this.accounts.open();
    await this.store.open();
    // A stop that came meanwhile has closed what was not open yet.
    if (this.#closing !== null) {
      await this.store.close();
      throw pageServerStopped();
    }
    await this.#removal.finish();
    this.opened = this.#closing === null;
  }

  removeDatabase(orgId: string, databaseId: string): Promise<void> {
    return this.#removal.remove(orgId, databaseId, this.endpoint);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.opened = false;
    // Each closes, whatever happens to the others.
    const ended: PromiseSettledResult<unknown>[] = [];
    for (const close of [
      () => this.endpoint.close(CLOSE_GRACE_MS),
      () => this.store.close(),
      () => this.accounts.close(),
    ]) {
      ended.push(...(await Promise.allSettled([close()])));
    }
    const failed = ended.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #announce({ databaseId, rootHash }: SyncCommit): void {
    const { feed, onError } = this.#settings;
    if (feed === undefined) return;
    const hash = Buffer.from(rootHash).toString("hex");
    // With a key: an event without one wakes all collections that follow this feed.
    const key = `${NAMESPACE}/${databaseId}`;
    const event = { collection: databaseId, namespace: NAMESPACE, key, hash, timestamp: Date.now() };
    // Not awaited: a client waits for no feed.
    const publish = async () => await feed.publish(event);
    publish().catch(onError);
  }
}

/** What is asked of a page server that does not run. */
export function pageServerStopped(): ReplicaError {
  return new ReplicaError("STOPPED", "The page server does not run: call start() first, or again after stop()", {
    retryable: true,
  });
}
