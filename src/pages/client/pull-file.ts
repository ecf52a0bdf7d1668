import { ReplicaError } from "../../errors.js";
import type { PageSyncResult } from "../page-client.js";
import type { ClientOutcome, ClientRestart, PeerFacts } from "../session/client-session.js";
import { createPullClient } from "../session/pull-client.js";
import type { StagedVersion } from "../target/finish-version.js";
import type { SyncedVersion, SyncRecord } from "../target/remembered-version.js";
import { replaceTarget } from "../target/replace-target.js";
import { type Staging, stagePulledVersion } from "../target/stage-version.js";
import { writeSyncRecord } from "../target/sync-record.js";
import { type TargetWatch, watchTarget } from "../target/watch-target.js";
import { AttemptProgress } from "./attempt-progress.js";
import type { HashedPages } from "./hashed-pages.js";
import { type LocalVersion, openLocalVersion } from "./local-version.js";
import { sameBytes } from "./same-bytes.js";
import type { Attempt } from "./server-link.js";
import { baseOf, type SyncRun } from "./sync-run.js";

/** Makes the file what the server's database is now. @throws as `PageClient.pull` */
export async function pullFile(run: SyncRun): Promise<PageSyncResult> {
  // Before the file is read: what is written to it from here on is seen when it is replaced.
  const watch = await watchTarget(run.path);
  const pull = new Pull(run, watch, await openLocal(run, watch));
  try {
    return await pull.pull();
  } finally {
    await pull.close();
  }
}

async function openLocal(run: SyncRun, watch: TargetWatch): Promise<LocalVersion | null> {
  const { path, workDir, record, progress, signal, call } = run;
  if (watch.kind === "missing") return null;
  try {
    return await openLocalVersion({ path, workDir, record, progress, signal });
  } catch (error) {
    const isForeign = error instanceof ReplicaError && error.code === "NOT_A_DATABASE";
    if (!isForeign) throw error;
    if (call.force) return null;
    throw new ReplicaError("NOT_A_DATABASE", error.message, {
      hint: "It is not overwritten. Give another path, or replace it with --force (`force: true`).",
      cause: error,
    });
  }
}

class Pull {
  readonly #run: SyncRun;
  readonly #watch: TargetWatch;
  readonly #local: LocalVersion | null;
  #staging: Staging | undefined;
  #staged: StagedVersion | undefined;
  #peer: PeerFacts | undefined;

  constructor(run: SyncRun, watch: TargetWatch, local: LocalVersion | null) {
    this.#run = run;
    this.#watch = watch;
    this.#local = local;
  }

  async pull(): Promise<PageSyncResult> {
    const { link } = this.#run;
    const outcome = await link.converse((restart) => this.#attempt(restart));
    const facts = outcome.changed ? await this.#replace(outcome) : await this.#keep(outcome);
    return {
      changed: facts.changed,
      database: outcome.version?.database ?? null,
      generation: outcome.version?.generation ?? null,
      pageSize: facts.pageSize,
      pageCount: facts.pageCount,
      pagesTransferred: outcome.pagesTransferred,
      bytesSent: link.bytesSent,
      bytesReceived: link.bytesReceived,
      notices: [...this.#run.notices, ...outcome.notices, ...facts.notices],
    };
  }

  async close(): Promise<void> {
    this.#staging?.close();
    await this.#staged?.close();
    await this.#local?.close();
  }

  async #attempt(restart: ClientRestart | null): Promise<Attempt> {
    const { progress, record } = this.#run;
    const plainUnit = restart?.reason === "plain-server" ? restart.pageSize : null;
    const pages = await this.#pages(plainUnit);
    const told = new AttemptProgress(progress);
    return {
      session: createPullClient({
        local: pages === null ? null : { pageSize: pages.source.pageSize, pageCount: pages.source.pageCount },
        base: baseOf(this.#local?.origin ?? record.synced),
        plain: plainUnit !== null,
      }),
      ports: {
        direction: "pull",
        local: pages,
        onPeer: (peer) => {
          this.#peer = peer;
          this.#verifyUnlost(peer);
          told.begin(peer.pageSize, pages === null ? peer.pageCount : null);
        },
        store: async (received) => {
          this.#verifyUnchanged();
          this.#stage().put(received);
        },
        onCompared: (count) => told.compared(count),
        onPages: (count) => told.transferred(count),
      },
    };
  }

  async #pages(plainUnit: number | null): Promise<HashedPages | null> {
    if (plainUnit === null || this.#local === null) return this.#local;
    return this.#local.inUnits(plainUnit);
  }

  /** What a pull would lose is told before anything is sent, where the server says what it has. */
  #verifyUnlost({ pageCount, extended, rootHash }: PeerFacts): void {
    const { call, path } = this.#run;
    if (this.#local === null || call.force) return;
    if (pageCount === 0) {
      throw new ReplicaError(
        "LOCAL_CHANGES",
        `Nothing has been pushed to this database yet: a pull would empty ${path}`,
        {
          hint: "Push first, give another path, or empty the file with --force (`force: true`).",
        },
      );
    }
    if (extended && !sameBytes(rootHash, this.#local.rootHash)) this.#verifyUnchanged();
  }

  #verifyUnchanged(): void {
    const { call, record, isRecordLost, path } = this.#run;
    if (this.#local === null || this.#local.origin !== null || call.force) return;
    const { synced, replacing } = record;
    // What was never synced may be replaced; not what was changed after a first pull that was cut off behind its commit.
    if (isRecordLost) throw unknownChanges(path);
    if (synced === null && (replacing === null || sameBytes(replacing.over, this.#local.fingerprint))) return;
    throw new ReplicaError("LOCAL_CHANGES", `${path} was changed since its last sync: a pull would undo that`, {
      hint: "Push it, pull into another file, or give up what was changed here with --force (`force: true`). A program that only follows opens the file read-only: ANALYZE, PRAGMA optimize and VACUUM change it too.",
    });
  }

  #stage(): Staging {
    const { path, workDir } = this.#run;
    const { pageSize: unit = 0, pageCount: unitCount = 0, extended = false } = this.#peer ?? {};
    const source = this.#local?.source ?? null;
    // Pages of another size have nothing in common with ours; units of a plain server are cut from any file.
    const isOfUse = source !== null && (!extended || source.pageSize === unit);
    this.#staging ??= stagePulledVersion({
      path,
      workDir,
      unit,
      unitCount,
      source: isOfUse ? source : null,
    });
    return this.#staging;
  }

  async #replace(outcome: ClientOutcome): Promise<Facts> {
    const { path, progress, signal, call } = this.#run;
    this.#verifyUnchanged();
    const staged = await this.#stage().finish({
      rootHash: outcome.version?.rootHash ?? null,
      check: call.check,
      signal,
      onProgress: ({ phase, pagesDone, pagesTotal, pageSize }) =>
        progress.report(phase, pagesDone, pagesTotal, pageSize),
    });
    this.#staged = staged;
    // All that came was behind the end of the database, where a plain server keeps what it was once.
    if (staged.pageSize === this.#local?.source.pageSize && sameBytes(staged.rootHash, this.#local.rootHash)) {
      const kept = await this.#keep(outcome);
      return { ...kept, notices: staged.notices };
    }
    // Closing a file lets go of all locks that a process has on it.
    await this.#local?.close();
    await replaceTarget({
      path,
      staged,
      version: outcome.version,
      over: this.#local?.fingerprint ?? null,
      watch: call.force ? null : this.#watch,
      force: call.force,
      signal,
      onProgress: ({ pagesDone, pagesTotal }) => progress.report("writing", pagesDone, pagesTotal, staged.pageSize),
    });
    const { pageSize, pageCount, notices } = staged;
    return { changed: true, pageSize, pageCount, notices };
  }

  /** The file is what the server has. What is remembered may still be older, or missing. */
  async #keep(outcome: ClientOutcome): Promise<Facts> {
    const { record, path } = this.#run;
    const local = this.#local;
    if (local === null) {
      const notices = ["Nothing has been pushed to this database yet: there is nothing to pull."];
      return { changed: false, pageSize: outcome.pageSize, pageCount: 0, notices };
    }
    const { pageSize, pageCount } = local.source;
    const { pageOneHeader, pageOneHash, fingerprint, rootHash } = local;
    if (outcome.version?.rootHash != null && !sameBytes(outcome.version.rootHash, rootHash)) {
      throw new ReplicaError("INTEGRITY_FAILED", `The page server takes ${path} for what it has, and it is not`);
    }
    const database = outcome.version?.database ?? null;
    const generation = outcome.version?.generation ?? null;
    const version = { database, generation, pageSize, pageCount, rootHash, pageOneHeader, pageOneHash, fingerprint };
    if (!isRemembered(record, version)) {
      await writeSyncRecord(path, { synced: version, pending: null, replacing: null });
    }
    return { changed: false, pageSize, pageCount, notices: [] };
  }
}

function unknownChanges(path: string): ReplicaError {
  return new ReplicaError(
    "LOCAL_CHANGES",
    `Nobody knows whether ${path} was changed since its last sync: ${path}-replica.json cannot be understood`,
    {
      hint: "Pull into another file, or give up what may have been changed here with --force (`force: true`). Another version of this program may understand it.",
    },
  );
}

interface Facts {
  readonly changed: boolean;
  readonly pageSize: number;
  readonly pageCount: number;
  readonly notices: readonly string[];
}

function isRemembered({ synced, pending, replacing }: SyncRecord, version: SyncedVersion): boolean {
  return (
    pending === null &&
    replacing === null &&
    synced !== null &&
    synced.database === version.database &&
    synced.generation === version.generation &&
    sameBytes(synced.fingerprint, version.fingerprint) &&
    sameBytes(synced.rootHash, version.rootHash)
  );
}
