import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { createDirectoryStore } from "../../../src/exports/artifacts/directory-store.js";
import { createBooks } from "../../../src/exports/jobs/books-schema.js";
import { DiskRoom } from "../../../src/exports/jobs/disk-room.js";
import type { JobContext } from "../../../src/exports/jobs/job-context.js";
import { JobFolders } from "../../../src/exports/jobs/job-folders.js";
import { JobStore } from "../../../src/exports/jobs/job-store.js";
import { RETRY_RULES, runJob } from "../../../src/exports/jobs/run-job.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { createDatabase } from "./engine-fixture.js";

const STOPPED = new ReplicaError("STOPPED", "Enough");

/** A job that there is no room for. */
function roomless(makeRoom: JobContext["makeRoom"]): { context: JobContext; run(signal?: AbortSignal): Promise<void> } {
  const dir = tempDir();
  const books = new Database(join(dir, "exports.db"));
  atEnd(() => books.close());
  createBooks(books, dir);
  const jobs = new JobStore(books);
  jobs.insert({ id: "job", database: createDatabase(1), format: "sql", tables: null, except: [], callbackUrl: null });
  const context: JobContext = {
    jobs,
    store: createDirectoryStore({ dir }),
    folders: new JobFolders(dir),
    room: new DiskRoom({ dir, maxDiskBytes: 1, minFreeBytes: 0 }),
    makeRoom,
    onChange: () => {},
  };
  return { context, run: (signal = new AbortController().signal) => runJob("job", context, RETRY_RULES, signal) };
}

describe("runJob, where there is no room", () => {
  it("fails the job with what was in the way, also where no room can be made because something else fails", async () => {
    const { context, run } = roomless(() => Promise.reject(new ReplicaError("LOCAL_DATABASE", "The books fail")));
    await run();
    expect(context.jobs.get("job")?.job).toMatchObject({ state: "failed", error: { code: "DISK_LIMIT" } });
  });

  it("waits for room to be made no longer than until it is cut short", async () => {
    const abort = new AbortController();
    const { context, run } = roomless(() => {
      queueMicrotask(() => abort.abort(STOPPED));
      return new Promise(() => {});
    });
    await expect(run(abort.signal)).rejects.toBe(STOPPED);
    expect(context.jobs.get("job")?.job.state).toBe("running");
  });
});
