import { ReplicaError } from "../../errors.js";
import type { PageSyncResult } from "../page-client.js";
import type { ClientOutcome, ClientRestart, SyncBase } from "../session/client-session.js";
import { createPushClient } from "../session/push-client.js";
import type { SyncedVersion, SyncRecord } from "../target/remembered-version.js";
import { writeSyncRecord } from "../target/sync-record.js";
import { AttemptProgress } from "./attempt-progress.js";
import type { HashedPages } from "./hashed-pages.js";
import { type LocalVersion, openLocalVersion } from "./local-version.js";
import { sameBytes } from "./same-bytes.js";
import type { Attempt } from "./server-link.js";
import { baseOf, type SyncRun } from "./sync-run.js";

/** No file has it: what was synced is known, and the file has been changed since. */
const NO_FINGERPRINT = new Uint8Array(32);

/** Makes the server's database what the file is now. @throws as `PageClient.push` */
export async function pushFile(run: SyncRun): Promise<PageSyncResult> {
  const { path, workDir, record, progress, signal } = run;
  const local = await openLocalVersion({ path, workDir, record, progress, signal });
  if (local === null) {
    throw new ReplicaError("NOT_A_DATABASE", `${path} is an empty file: there is nothing to be pushed`, {
      hint: "Make a table in it first.",
    });
  }
  try {
    return await new Push(run, local).push();
  } finally {
    await local.close();
  }
}

class Push {
  readonly #run: SyncRun;
  readonly #local: LocalVersion;
  #synced: SyncedVersion | null;
  #base: SyncBase | null;
  #database: string | null = null;
  #isPending = false;
  /** A push before this one, of which nobody knows whether it was stored. */
  #earlier: SyncRecord["pending"];

  constructor(run: SyncRun, local: LocalVersion) {
    this.#run = run;
    this.#local = local;
    this.#synced = local.origin ?? run.record.synced;
    this.#base = baseOf(this.#synced);
    this.#earlier = run.record.pending;
  }

  async push(): Promise<PageSyncResult> {
    const { link, notices } = this.#run;
    const { pageSize, pageCount } = this.#local.source;
    const outcome = await this.#converse();
    const { version, changed, pagesTransferred } = outcome;
    if (version?.rootHash != null && !sameBytes(version.rootHash, this.#local.rootHash)) {
      throw new ReplicaError("INTEGRITY_FAILED", "What the page server has stored is not what was pushed");
    }
    await this.#remember(this.#versionOf(version?.database ?? null, version?.generation ?? null), null);
    return {
      changed,
      database: version?.database ?? null,
      generation: version?.generation ?? null,
      pageSize,
      pageCount,
      pagesTransferred,
      bytesSent: link.bytesSent,
      bytesReceived: link.bytesReceived,
      notices: [...notices, ...outcome.notices],
    };
  }

  async #converse(): Promise<ClientOutcome> {
    const { link } = this.#run;
    for (let isAgain = false; ; isAgain = true) {
      try {
        return await link.converse((restart) => this.#attempt(restart));
      } catch (error) {
        const isRefused = error instanceof ReplicaError && error.code === "GENERATION_CONFLICT";
        if (!isRefused || !this.#isPending) throw error;
        // This push was not stored. What came first may be the one before it, which the server was still storing when this one began.
        this.#isPending = false;
        await this.#remember(this.#synced, this.#earlier);
        if (isAgain || this.#earlier === null) throw error;
      }
    }
  }

  async #attempt(restart: ClientRestart | null): Promise<Attempt> {
    const { call, progress } = this.#run;
    const plainUnit = restart?.reason === "plain-server" ? restart.pageSize : null;
    if (restart?.reason === "own-push") await this.#adopt(restart.base);
    const pages: HashedPages = plainUnit === null ? this.#local : await this.#local.inUnits(plainUnit);
    const { pageSize, pageCount } = pages.source;
    const pending = this.#earlier;
    const told = new AttemptProgress(progress);
    return {
      session: createPushClient({
        pageSize,
        pageCount,
        base: this.#base,
        force: call.force,
        ...(pending?.database != null && { pending: { database: pending.database, rootHash: pending.rootHash } }),
        plain: plainUnit !== null,
      }),
      ports: {
        direction: "push",
        local: pages,
        onPeer: (peer) => {
          this.#database = peer.database;
          told.begin(pageSize, peer.pageCount === 0 ? pageCount : null);
        },
        beforeComplete: () => this.#pend(),
        onCompared: (count) => told.compared(count),
        onPages: (count) => told.transferred(count),
      },
    };
  }

  /** From here on the server may commit, whether we hear of it or not. */
  async #pend(): Promise<void> {
    if (this.#isPending) return;
    this.#isPending = true;
    await this.#remember(this.#synced, { database: this.#database, rootHash: this.#local.rootHash });
  }

  /** The push before this one was stored, and its answer lost. */
  async #adopt(base: SyncBase & { readonly generation: number }): Promise<void> {
    const pending = this.#earlier;
    this.#earlier = null;
    this.#base = base;
    const version = this.#versionOf(base.database, base.generation);
    const isSame = sameBytes(pending?.rootHash ?? null, version.rootHash);
    // Of a version that the file is not at any more nobody needs page 1.
    this.#synced =
      isSame || pending === null ? version : { ...version, rootHash: pending.rootHash, fingerprint: NO_FINGERPRINT };
    await this.#remember(this.#synced, null);
  }

  #versionOf(database: string | null, generation: number | null): SyncedVersion {
    const { source, rootHash, pageOneHeader, pageOneHash, fingerprint } = this.#local;
    const { pageSize, pageCount } = source;
    return { database, generation, pageSize, pageCount, rootHash, pageOneHeader, pageOneHash, fingerprint };
  }

  async #remember(synced: SyncedVersion | null, pending: SyncRecord["pending"]): Promise<void> {
    if (!this.#run.isWritable) return;
    // A pull that was cut off is no concern any more where it is known what came of it.
    const { replacing } = this.#run.record;
    const isKnown = synced !== this.#run.record.synced;
    await writeSyncRecord(this.#run.path, { synced, pending, replacing: isKnown ? null : replacing });
  }
}
