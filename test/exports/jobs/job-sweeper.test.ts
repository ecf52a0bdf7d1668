import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { createDirectoryStore } from "../../../src/exports/artifacts/directory-store.js";
import { createBooks } from "../../../src/exports/jobs/books-schema.js";
import { JobFolders } from "../../../src/exports/jobs/job-folders.js";
import { JobStore } from "../../../src/exports/jobs/job-store.js";
import { JobSweeper } from "../../../src/exports/jobs/job-sweeper.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";

/** Two jobs: `removed`, whose files are still there, and `old`, which ended long ago. */
function setUp() {
  const dir = tempDir();
  const books = new Database(join(dir, "exports.db"));
  atEnd(() => books.close());
  createBooks(books, dir);
  const jobs = new JobStore(books);
  for (const id of ["removed", "old"])
    jobs.insert({ id, database: "/nowhere.db", format: "sql", tables: null, except: [], callbackUrl: null });
  jobs.complete("old", { location: "old.sql", sha256: "0".repeat(64) });
  jobs.markRemoved("removed");
  const work = join(dir, "work", "removed");
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, "snapshot.db"), "");
  const workedOn = new Set<string>();
  const sweeper = new JobSweeper({
    jobs,
    store: createDirectoryStore({ dir }),
    folders: new JobFolders(dir),
    retentionSeconds: -1,
    callbacks: false,
    isWorkedOn: (id) => workedOn.has(id),
  });
  return { books, jobs, sweeper, workedOn, work };
}

describe("JobSweeper", () => {
  it("takes nothing from a job that is removed as long as it is still being worked on", async () => {
    const { jobs, sweeper, workedOn, work } = setUp();
    workedOn.add("removed");
    await sweeper.sweep();
    expect([existsSync(work), jobs.leftovers().map(({ id }) => id)]).toEqual([true, ["removed"]]);
    workedOn.clear();
    expect(await sweeper.sweep()).toBe(true);
    expect([existsSync(work), jobs.leftovers()]).toEqual([false, []]);
  });

  it("removes the files of what was marked before where the books take no more marks, and says what they say", async () => {
    const { books, sweeper, work } = setUp();
    books.pragma("query_only = ON");
    await expect(sweeper.sweep()).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    expect(existsSync(work)).toBe(false);
  });
});
