import { rename } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { ChannelStatus } from "../../../src/scheduler/run-ledger.js";
import { taskStatus } from "../../../src/tables/task-view.js";
import type { TableRun, TaskRecord } from "../../../src/tables/tasks/table-task.js";
import { waitFor } from "../../support/wait.js";
import { openShop } from "../facade/shop.js";

const run: TableRun = {
  taskId: "1",
  startedAt: "2026-01-01T00:01:00.000Z",
  finishedAt: "2026-01-01T00:01:05.000Z",
  rowsPulled: 0,
  rowsDeleted: 0,
  bytes: 0,
  cursor: null,
  lossyValues: 0,
  nullCursorRows: 0,
  droppedColumns: [],
  notes: [],
  error: { code: "SOURCE_UNREACHABLE", message: "no answer" },
};

const record: TaskRecord = {
  id: "1",
  source: "main",
  sourceTable: "users",
  targetTable: "users",
  columns: null,
  cursorColumn: null,
  mode: "full",
  intervalSeconds: 300,
  batchSize: 5_000,
  deletes: null,
  numeric: "real",
  paused: false,
  cursor: null,
  lastRun: run,
  lastSuccessAt: "2026-01-01T00:00:00.000Z",
};

const fresh: ChannelStatus = {
  name: "table:users",
  state: "idle",
  lastAttemptAt: null,
  lastSuccessAt: null,
  lastError: null,
  consecutiveFailures: 0,
  runs: 0,
  items: 0,
  bytes: 0,
  nextRunAt: null,
  stalenessMs: null,
};

describe("taskStatus", () => {
  it("tells from the books what a scheduler that has just begun does not know", () => {
    for (const status of [fresh, null]) {
      expect(taskStatus(record, status)).toMatchObject({
        lastSuccessAt: record.lastSuccessAt,
        stalenessMs: expect.any(Number),
        lastError: { code: "SOURCE_UNREACHABLE", message: "no answer", at: run.finishedAt },
      });
    }
  });

  it("takes the later success, and the error that the scheduler has met itself", () => {
    const lastError = { code: "SOURCE_REFUSED", message: "wrong password", at: "2026-01-01T00:02:00.000Z" } as const;
    const newer = { ...fresh, lastSuccessAt: "2026-01-01T00:01:30.000Z", lastError };
    expect(taskStatus(record, newer)).toMatchObject({ lastSuccessAt: newer.lastSuccessAt, lastError });
    const older = { ...fresh, lastSuccessAt: "2025-12-31T00:00:00.000Z" };
    expect(taskStatus(record, older).lastSuccessAt).toBe(record.lastSuccessAt);
  });

  it("has neither before the first run, and does not call a run that was stopped a failure", () => {
    const none = { lastSuccessAt: null, stalenessMs: null, lastError: null };
    expect(taskStatus({ ...record, lastRun: null, lastSuccessAt: null }, null)).toMatchObject(none);
    const stopped: TableRun = { ...run, error: { code: "STOPPED", message: "paused" } };
    expect(taskStatus({ ...record, lastRun: stopped, lastSuccessAt: null }, null)).toMatchObject(none);
  });

  it("says after restarts how old the copy is although the source is down", async () => {
    const shop = openShop(3);
    const first = shop.replication({ tables: ["users"] });
    await first.start();
    const { startedAt } = await first.runTask("users");
    await first.stop();
    shop.db.close();
    await rename(shop.path, `${shop.path}.away`);
    for (let restarts = 0; restarts < 2; restarts += 1) {
      const tables = shop.replication({ tables: ["users"] });
      await tables.start();
      await waitFor(async () => (await tables.status())[0]?.state === "failing");
      const [status] = await tables.status();
      expect(Date.parse(status?.lastSuccessAt ?? "")).toBeGreaterThanOrEqual(Date.parse(startedAt));
      expect(status).toMatchObject({ stalenessMs: expect.any(Number), lastError: { message: expect.any(String) } });
      await tables.stop();
    }
  });
});
