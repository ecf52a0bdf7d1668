import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { createBooks } from "../../../src/exports/jobs/books-schema.js";
import { JobStore } from "../../../src/exports/jobs/job-store.js";
import { atEnd } from "../../support/at-end.js";

const END = { location: "job.sql", sha256: "0".repeat(64) };

describe("JobStore", () => {
  it.each([
    ["completed", (jobs: JobStore) => jobs.complete("job", END)],
    ["failed", (jobs: JobStore) => jobs.fail("job", new ReplicaError("DISK_LIMIT", "Full"))],
  ] as const)("fixes the callback of a job that has %s once, however often that is recorded", (_, end) => {
    const books = new Database(":memory:");
    atEnd(() => books.close());
    createBooks(books, ":memory:");
    let now = 1_000;
    const jobs = new JobStore(books, () => now);
    const callbackUrl = "https://example.com/hook";
    jobs.insert({ id: "job", database: "/shop.db", format: "sql", tables: null, except: [], callbackUrl });
    const callback = () =>
      books.prepare("SELECT callback_message_id, callback_body, callback_since_ms FROM export_jobs").get();
    end(jobs);
    const first = callback();
    now = 2_000;
    end(jobs);
    expect(first).toMatchObject({ callback_message_id: expect.stringMatching(/^msg_/), callback_since_ms: 1_000 });
    expect(callback()).toEqual(first);
  });
});
