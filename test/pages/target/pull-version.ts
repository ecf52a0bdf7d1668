import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPageHasher } from "../../../src/pages/hashes/page-hasher.js";
import { hashPageSource } from "../../../src/pages/source/hash-page-source.js";
import { openPageSource } from "../../../src/pages/source/open-page-source.js";
import type { PageSource } from "../../../src/pages/source/page-source.js";
import { recogniseLocal } from "../../../src/pages/target/recognise-local.js";
import type { SyncedVersion } from "../../../src/pages/target/remembered-version.js";
import { replaceTarget } from "../../../src/pages/target/replace-target.js";
import { stagePulledVersion } from "../../../src/pages/target/stage-version.js";
import { readSyncRecord } from "../../../src/pages/target/sync-record.js";
import { resolveTarget } from "../../../src/pages/target/target-path.js";
import { watchTarget } from "../../../src/pages/target/watch-target.js";
import { withPageOne } from "../../../src/pages/target/with-page-one.js";

export interface PullVersion {
  /** The server's file. */
  readonly from: string;
  readonly to: string;
  /** `null` as from a plain server. */
  readonly generation: number | null;
  readonly force?: boolean;
  readonly check?: boolean;
  readonly patienceSeconds?: number;
  /** Called before the target is replaced. */
  readonly beforeReplace?: () => void | Promise<void>;
  /** Called after each look at whether somebody has written to the target. */
  readonly afterLook?: () => void;
  readonly onProgress?: (pagesDone: number, pagesTotal: number) => void;
  readonly signal?: AbortSignal;
}

export interface Pulled {
  readonly synced: SyncedVersion | null;
  /** Pages that came from the server; the others were taken from the target. */
  readonly put: number;
  /** Whether the target was recognised as a version of the server. */
  readonly recognised: boolean;
}

/** A pull as the client does it, without a wire between: pages that differ are put, the others come from the target. */
export async function pullVersion(options: PullVersion): Promise<Pulled> {
  const workDir = mkdtempSync(join(tmpdir(), "starfish-pull-"));
  const opened: { close(): unknown }[] = [];
  try {
    const path = resolveTarget(options.to);
    const hasher = await createPageHasher();
    const watch = await watchTarget(path);
    const server = fileSource(options.from);
    opened.push(server);
    const serverHashes = await hashPageSource(server, { path: join(workDir, "server"), hasher });
    opened.push(serverHashes);
    let local: PageSource | null = null;
    let origin: SyncedVersion | null = null;
    let over: Uint8Array | null = null;
    let closeLocal = (): void => {};
    if (watch.kind === "database") {
      const source = await openPageSource(path, { workDir });
      closeLocal = () => source.close();
      opened.push(source);
      const hashes = await hashPageSource(source, { path: join(workDir, "local"), hasher });
      opened.push(hashes);
      over = source.pageCount === 0 ? null : await hashes.combined(1, source.pageCount);
      origin = await recogniseLocal((await readSyncRecord(path)).record, source, hashes);
      local = origin === null ? source : withPageOne(source, origin.pageOneHeader);
      if (local.pageSize !== server.pageSize) local = null;
    }
    const staging = stagePulledVersion({
      path,
      workDir,
      unit: server.pageSize,
      unitCount: server.pageCount,
      source: local,
    });
    opened.push(staging);
    let put = 0;
    for (let pageNo = 1; pageNo <= server.pageCount; pageNo++) {
      const data = Buffer.from(server.read(pageNo, 1));
      if (local !== null && pageNo <= local.pageCount && data.equals(local.read(pageNo, 1))) continue;
      staging.put([{ pageNo, data }]);
      put++;
    }
    const rootHash = server.pageCount === 0 ? null : await serverHashes.combined(1, server.pageCount);
    const staged = await staging.finish({ rootHash, check: options.check ?? false });
    opened.push(staged);
    const recognised = origin !== null;
    // Ours, which need not be what pages were taken from.
    closeLocal();
    await options.beforeReplace?.();
    const { force = false, generation, patienceSeconds, signal, onProgress } = options;
    const changed = (): boolean => {
      const found = watch.changed();
      options.afterLook?.();
      return found;
    };
    const synced = await replaceTarget({
      path,
      staged,
      version: generation === null ? null : { database: "db", generation },
      over,
      watch: force ? null : { ...watch, changed },
      force,
      ...(patienceSeconds === undefined ? {} : { patienceSeconds }),
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress: (step) => onProgress(step.pagesDone, step.pagesTotal) }),
    });
    return { synced, put, recognised };
  } finally {
    for (const one of opened.reverse()) await one.close();
    rmSync(workDir, { recursive: true, force: true });
  }
}

/** A file that nobody changes, as it is. */
export function fileSource(path: string): PageSource {
  const fd = openSync(path, "r");
  const { size } = fstatSync(fd);
  const header = Buffer.alloc(100);
  readSync(fd, header, 0, 100, 0);
  const field = header.readUInt16BE(16);
  const pageSize = size === 0 ? 4096 : field === 1 ? 65_536 : field;
  let isOpen = true;
  return {
    pageSize,
    pageCount: size / pageSize,
    read(startPage, count) {
      const pages = Buffer.alloc(count * pageSize);
      readSync(fd, pages, 0, pages.length, (startPage - 1) * pageSize);
      return pages;
    },
    close() {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}

/** What a pull must not leave behind. */
export function leftovers(path: string): readonly string[] {
  const endings = ["-replica-part", "-replica.json-new", "-journal", "-wal", "-shm"];
  return endings.filter((ending) => existsSync(`${path}${ending}`));
}
