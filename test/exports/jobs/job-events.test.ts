import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ExportJob } from "../../../src/exports/export-job.js";
import { JobEvents } from "../../../src/exports/jobs/job-events.js";

const QUEUED: ExportJob = {
  id: "a",
  state: "queued",
  format: "sql",
  tables: null,
  progress: { tablesDone: 0, tablesTotal: null, rowsDone: 0, bytesWritten: 0 },
  createdAt: "2026-11-20T10:00:00.000Z",
  finishedAt: null,
  error: null,
  artifact: null,
  callback: null,
};

describe("The events of a job", () => {
  let job: ExportJob | null;
  let told: ExportJob[];
  let events: JobEvents;
  let errors: unknown[];

  beforeEach(() => {
    errors = [];
    vi.useFakeTimers();
    job = QUEUED;
    told = [];
    events = new JobEvents(
      () => job,
      (one) => told.push(one),
      (error) => errors.push(error),
    );
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function become(state: ExportJob["state"], bytesWritten = 0): void {
    job = { ...QUEUED, state, progress: { ...QUEUED.progress, bytesWritten } };
    events.changed("a");
  }

  it("come at once where the state is another", () => {
    for (const state of ["queued", "running", "completed"] as const) become(state);
    expect(told.map(({ state }) => state)).toEqual(["queued", "running", "completed"]);
  });

  it("come every 250 ms at most else, and the last is never left out", () => {
    become("running");
    for (let bytes = 1; bytes <= 1_000; bytes += 1) {
      vi.advanceTimersByTime(1);
      become("running", bytes);
    }
    vi.advanceTimersByTime(1_000);
    expect(told.length).toBeLessThanOrEqual(6);
    expect(told.at(-1)?.progress.bytesWritten).toBe(1_000);
  });

  it("end with the job: nothing late is told of one that ended or was removed", () => {
    become("running");
    become("running", 5);
    become("completed", 9);
    vi.advanceTimersByTime(1_000);
    expect(told.map(({ progress }) => progress.bytesWritten)).toEqual([0, 9]);
    become("running");
    become("running", 5);
    job = null;
    events.changed("a");
    vi.advanceTimersByTime(1_000);
    expect(told).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("do the job no harm where they cannot be told", () => {
    const failure = new Error("No");
    const failing = new JobEvents(
      () => job,
      ({ progress }) => {
        if (progress.bytesWritten > 0) throw failure;
      },
      (error) => errors.push(error),
    );
    failing.changed("a");
    job = { ...QUEUED, progress: { ...QUEUED.progress, bytesWritten: 1 } };
    failing.changed("a");
    vi.advanceTimersByTime(250);
    job = { ...job, state: "running" };
    failing.changed("a");
    expect(errors).toEqual([failure, failure]);
  });

  it("leave no timer behind", () => {
    become("running");
    become("running", 5);
    events.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
