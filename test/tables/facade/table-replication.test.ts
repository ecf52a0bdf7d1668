import { channel as diagnosticsChannel } from "node:diagnostics_channel";
import { describe, expect, it, vi } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { SYNC_EVENTS, type SyncEvent } from "../../../src/scheduler/sync-events.js";
import type { TableProgress } from "../../../src/tables/copy/table-engine.js";
import { TABLE_EVENTS } from "../../../src/tables/progress-events.js";
import { deferred, waitFor } from "../../support/wait.js";
import { FakeTables } from "./fake-engine.js";

const down = new ReplicaError("SOURCE_UNREACHABLE", "main: connection refused", { retryable: true });

describe("TableReplication, its tasks", () => {
  it("shows a task with exactly the fields of the control API", async () => {
    const tables = new FakeTables().replication({ tables: ["users"] });
    await tables.start();
    const run = await tables.runTask("users");
    const [task] = await tables.tasks();
    expect(task).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      source: "main",
      sourceTable: "users",
      targetTable: "users",
      columns: null,
      cursorColumn: "id",
      mode: "append",
      intervalSeconds: 300,
      batchSize: 5_000,
      deletes: null,
      numeric: "real",
      state: "idle",
      cursor: null,
      lastRun: run,
      nextRunAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await tables.task("USERS")).toEqual(task);
    expect(run).toMatchObject({ taskId: task?.id, error: null, rowsPulled: 1 });
  });

  it("hands defaults on to tasks that do not say", async () => {
    const fake = new FakeTables();
    const tables = fake.replication({
      tables: ["a"],
      tasks: [{ sourceTable: "b", batchSize: 7, numeric: "real" }],
      batchSize: 100,
      numeric: "text",
      syncIntervalSeconds: 60,
      lagSeconds: 1,
    });
    await tables.start();
    expect(fake.engines[0]?.options).toMatchObject({ intervalSeconds: 60, lagSeconds: 1 });
    expect(fake.definitions).toMatchObject([
      { sourceTable: "a", source: "main", batchSize: 100, numeric: "text" },
      { sourceTable: "b", source: "main", batchSize: 7, numeric: "real" },
    ]);
  });

  it("keeps what was added over a restart, and lets the configuration win over what is stored", async () => {
    const fake = new FakeTables();
    const first = fake.replication({ tasks: [{ sourceTable: "users", intervalSeconds: 60 }] });
    await first.start();
    const added = await first.addTask({ sourceTable: "orders" });
    const [users] = await first.tasks();
    await first.stop();
    const second = fake.replication({ tasks: [{ sourceTable: "users", intervalSeconds: 90 }] });
    await second.start();
    expect((await second.tasks()).map(({ id, intervalSeconds }) => [id, intervalSeconds])).toEqual([
      [users?.id, 90],
      [added.id, 300],
    ]);
    // Gone from the configuration: it stays.
    await second.stop();
    const third = fake.replication();
    await third.start();
    expect(await third.tasks()).toHaveLength(2);
  });

  it("refuses definitions, changes and ids that cannot work, naming the field", async () => {
    const tables = new FakeTables().replication({ tables: ["users"] });
    await tables.start();
    const bad = tables.addTask({ sourceTable: "", batchSize: 0 } as never);
    await expect(bad).rejects.toMatchObject({
      code: "INVALID_TASK",
      message: expect.stringMatching(/^sourceTable must be.*; batchSize must be/),
      hint: expect.any(String),
    });
    await expect(tables.addTask({ sourceTable: "users" })).rejects.toMatchObject({ code: "TARGET_TAKEN" });
    const change = tables.updateTask("users", { pause: true } as never);
    await expect(change).rejects.toThrow('pause is unknown: did you mean "paused"?');
    await expect(tables.runs("users", 0)).rejects.toThrow(/^limit must be/);
    await expect(tables.verify("users", { repair: 1 as never })).rejects.toThrow(/^repair must be/);
    for (const ask of [
      tables.task("x"),
      tables.updateTask("x", {}),
      tables.removeTask("x"),
      tables.runTask("x"),
      tables.verify("x"),
      tables.runs("x"),
    ]) {
      await expect(ask).rejects.toMatchObject({ code: "UNKNOWN_TASK" });
    }
  });

  it("pauses, goes on with a run at once, and does not run what is paused", async () => {
    const fake = new FakeTables();
    const tables = fake.replication({ tables: ["users"] });
    await tables.start();
    await waitFor(() => fake.units.length === 1);
    expect(await tables.updateTask("users", { paused: true })).toMatchObject({ state: "paused", nextRunAt: null });
    expect((await tables.status())[0]).toMatchObject({ state: "paused", stalenessMs: expect.any(Number) });
    await expect(tables.runTask("users")).rejects.toThrow(/is paused/);
    expect(await tables.verify("users")).toMatchObject({ equal: true });
    expect(await tables.updateTask("users", { paused: false })).not.toMatchObject({ state: "paused" });
    await waitFor(() => fake.units.length === 2);
  });

  it("pauses a run under way, and a paused task stays so over a restart", async () => {
    const fake = new FakeTables();
    fake.script.advance = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const tables = fake.replication({ tables: ["users"] });
    await tables.start();
    const run = tables.runTask("users");
    run.catch(() => {});
    await waitFor(() => fake.units.length === 1);
    await tables.updateTask("users", { paused: true });
    await expect(run).rejects.toMatchObject({ code: "INVALID_TASK" });
    await tables.stop();
    await tables.start();
    expect(await tables.task("users")).toMatchObject({ state: "paused" });
    expect(fake.units).toHaveLength(1);
  });

  it("takes up another interval without disturbing the run under way", async () => {
    const fake = new FakeTables();
    const held = deferred();
    fake.script.advance = async ({ n, signal }) => {
      if (n > 0) return {};
      signal.addEventListener("abort", () => held.reject(signal.reason));
      await held.promise;
      return {};
    };
    const tables = fake.replication({ tables: ["users"] });
    await tables.start();
    const run = tables.runTask("users");
    await waitFor(() => fake.units.length === 1);
    expect((await tables.updateTask("users", { intervalSeconds: 10 })).intervalSeconds).toBe(10);
    held.resolve();
    await run;
    const nextRunInMs = async () => Date.parse((await tables.task("users")).nextRunAt ?? "") - Date.now();
    expect(await nextRunInMs()).toBeLessThan(11_000);
    await tables.updateTask("users", { intervalSeconds: 1_000 });
    expect(await nextRunInMs()).toBeGreaterThan(100_000);
  });

  it("forgets a removed task, and takes it back where the books could not be written", async () => {
    const fake = new FakeTables();
    const tables = fake.replication({ tables: ["users", "orders"] });
    await tables.start();
    fake.script.remove = () => {
      throw new ReplicaError("LOCAL_DATABASE", "disk full");
    };
    await expect(tables.removeTask("users")).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    await tables.runTask("users");
    delete fake.script.remove;
    await tables.removeTask("users");
    expect((await tables.tasks()).map(({ targetTable }) => targetTable)).toEqual(["orders"]);
    await expect(tables.runTask("users")).rejects.toMatchObject({ code: "UNKNOWN_TASK" });
    await tables.addTask({ sourceTable: "users" });
    await tables.runTask("users");
  });
});

describe("TableReplication, its runs", () => {
  it("counts only a run that began after it was asked, and does as much as was asked for", async () => {
    const fake = new FakeTables();
    const held = deferred();
    fake.script.advance = async ({ n }) => {
      if (n === 0) await held.promise;
      return { rowsPulled: n };
    };
    const tables = fake.replication({ tables: ["users"] });
    await tables.start();
    await waitFor(() => fake.units.length === 1);
    const run = tables.runTask("users");
    held.resolve();
    expect((await run).rowsPulled).toBe(1);
    expect(fake.units.map(({ reason }) => reason)).toEqual(["start", "requested"]);
  });

  it("rejects with the run's error, which is recorded, and recovers by itself", async () => {
    const fake = new FakeTables();
    const onError = vi.fn();
    fake.script.advance = () => {
      throw down;
    };
    const tables = fake.replication({ tables: ["users"], onError, backOff: { baseMs: 100, capMs: 100 } });
    await tables.start();
    await expect(tables.runTask("users")).rejects.toBe(down);
    expect((await tables.runs("users"))[0]?.error).toEqual({ code: "SOURCE_UNREACHABLE", message: down.message });
    await waitFor(async () => (await tables.task("users")).state === "failing");
    expect((await tables.status())[0]).toMatchObject({
      lastError: { code: "SOURCE_UNREACHABLE" },
      consecutiveFailures: expect.any(Number),
      stalenessMs: null,
    });
    expect(onError).toHaveBeenCalledWith("table:users", down);
    delete fake.script.advance;
    await waitFor(async () => (await tables.task("users")).state === "idle");
    expect((await tables.status())[0]).toMatchObject({ consecutiveFailures: 0, stalenessMs: expect.any(Number) });
  });

  it("ends the waiting and not the run where the caller's signal aborts", async () => {
    const fake = new FakeTables();
    const held = deferred();
    fake.script.advance = async () => {
      await held.promise;
      return {};
    };
    const tables = fake.replication({ tables: ["users"] });
    await tables.start();
    const caller = new AbortController();
    const run = tables.runTask("users", { signal: caller.signal });
    caller.abort(new Error("gone"));
    await expect(run).rejects.toThrow("gone");
    expect(fake.units.every(({ signal }) => !signal.aborted)).toBe(true);
    held.resolve();
    await waitFor(async () => (await tables.task("users")).lastRun !== null);
  });

  it("waits for a comparison that is in the way, then makes up for the run that was passed over", async () => {
    const fake = new FakeTables();
    const held = deferred();
    let comparing = false;
    fake.script.verify = async (_, signal) => {
      signal.addEventListener("abort", () => held.reject(signal.reason));
      comparing = true;
      await held.promise;
      comparing = false;
    };
    fake.script.advance = ({ task }) => ({ busy: comparing && task.targetTable === "users" });
    const tables = fake.replication({ tables: ["users", "orders"] });
    await tables.start();
    await tables.runTask("users");
    const before = (await tables.runs("users")).length;
    const verified = tables.verify("users", { repair: true });
    const again = tables.verify("users");
    const run = tables.runTask("users");
    await tables.runTask("orders");
    expect((await tables.runs("users")).length).toBe(before);
    held.resolve();
    expect(await verified).toMatchObject({ equal: false, repaired: 1 });
    expect(await again).toMatchObject({ equal: true });
    expect((await run).error).toBeNull();
  });

  it("publishes runs and progress, the latter at most every 250 ms per task", async () => {
    const fake = new FakeTables();
    const runs: SyncEvent[] = [];
    const published: unknown[] = [];
    const told: TableProgress[] = [];
    const onRun = (event: unknown): void => void runs.push(event as SyncEvent);
    const onProgress = (event: unknown): void => void published.push(event);
    diagnosticsChannel(SYNC_EVENTS).subscribe(onRun);
    diagnosticsChannel(TABLE_EVENTS).subscribe(onProgress);
    const tables = fake.replication({ tables: ["users"], onProgress: (progress) => told.push(progress) });
    await tables.start();
    await tables.runTask("users");
    const report = (taskId: string, rowsDone: number): void =>
      fake.engines[0]?.progress({ taskId, targetTable: taskId, phase: "copy", rowsDone, rowsEstimated: 9 });
    for (let row = 1; row <= 100; row += 1) report("a", row);
    report("b", 1);
    expect(told.map(({ taskId, rowsDone }) => [taskId, rowsDone])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
    await waitFor(() => told.length === 3);
    expect(told[2]).toMatchObject({ taskId: "a", rowsDone: 100 });
    expect(published).toEqual(told);
    expect(runs[0]).toMatchObject({ name: "table:users", work: "copy", outcome: { items: 1, bytes: 10 } });
    diagnosticsChannel(SYNC_EVENTS).unsubscribe(onRun);
    diagnosticsChannel(TABLE_EVENTS).unsubscribe(onProgress);
  });

  it("bounds the runs per source, so that a source that hangs holds up only its own", async () => {
    const fake = new FakeTables();
    fake.script.advance = async ({ task, signal }) => {
      if (task.source === "sick") await new Promise((_, reject) => signal.addEventListener("abort", reject));
      return {};
    };
    const sources = { sick: "sqlite:sick.db", well: "sqlite:well.db" };
    const tasks = ["a", "b", "c"].map((sourceTable) => ({ sourceTable, source: "sick" }));
    const tables = fake.replication({
      sources,
      tasks: [...tasks, { sourceTable: "d", source: "well" }],
      concurrency: 2,
    });
    await tables.start();
    await tables.runTask("d");
    expect(fake.units.filter(({ task }) => task.source === "sick")).toHaveLength(2);
  });
});

describe("TableReplication, from start to stop", () => {
  it("does nothing at a second start, and answers STOPPED before the first and after a stop", async () => {
    const fake = new FakeTables();
    const tables = fake.replication({ tables: ["users"] });
    await expect(tables.tasks()).rejects.toMatchObject({ code: "STOPPED" });
    await Promise.all([tables.start(), tables.start()]);
    await tables.start();
    expect(fake.engines).toHaveLength(1);
    await tables.stop();
    await tables.stop();
    expect(fake.engines[0]?.closed).toBe(true);
    for (const ask of [tables.tasks(), tables.status(), tables.query("SELECT 1"), tables.addTask({ sourceTable: "a" })])
      await expect(ask).rejects.toMatchObject({ code: "STOPPED" });
    await tables.start();
    await tables.runTask("users");
  });

  it("ends runs, comparisons and waiting callers at stop", async () => {
    const fake = new FakeTables();
    const hang = (signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    fake.script.advance = ({ signal }) => hang(signal);
    fake.script.verify = (_, signal) => hang(signal);
    const tables = fake.replication({ tables: ["users", "orders"] });
    await tables.start();
    const asked = [tables.runTask("users"), tables.verify("orders")];
    for (const one of asked) one.catch(() => {});
    await waitFor(() => fake.units.length === 2);
    const stopping = tables.stop();
    await expect(tables.start()).rejects.toMatchObject({ code: "STOPPED" });
    for (const one of asked) await expect(one).rejects.toMatchObject({ code: "STOPPED" });
    await stopping;
  });

  it("can be stopped while it starts", async () => {
    const fake = new FakeTables();
    const held = deferred();
    fake.script.ensure = () => held.promise;
    const tables = fake.replication({ tables: ["users"] });
    const starting = tables.start();
    starting.catch(() => {});
    await waitFor(() => fake.engines.length === 1);
    await expect(tables.tasks()).rejects.toMatchObject({ code: "STOPPED" });
    const stopping = tables.stop();
    held.resolve();
    await stopping;
    await expect(starting).rejects.toMatchObject({ code: "STOPPED" });
    expect(fake.engines[0]?.closed).toBe(true);
    expect(fake.units).toHaveLength(0);
  });

  it("fails where the local file or the configuration is wrong, leaves nothing open, and may be started again", async () => {
    const fake = new FakeTables();
    fake.script.open = () => {
      throw new ReplicaError("LOCAL_DATABASE", "read-only");
    };
    const tables = fake.replication({ tables: ["users"] });
    await expect(tables.start()).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    expect(fake.engines[0]?.closed).toBe(true);
    delete fake.script.open;
    fake.script.ensure = () => {
      throw new ReplicaError("INVALID_TASK", "columns: no such column");
    };
    await expect(tables.start()).rejects.toMatchObject({ code: "INVALID_TASK" });
    expect(fake.engines[1]?.closed).toBe(true);
    delete fake.script.ensure;
    await tables.start();
    await tables.runTask("users");
  });

  it("goes on with a stored task whose table is gone at the source, and says so", async () => {
    const fake = new FakeTables();
    const onError = vi.fn();
    const tables = fake.replication({ tables: ["users"], onError });
    await tables.start();
    await tables.stop();
    const gone = new ReplicaError("TABLE_MISSING", "users is gone");
    fake.script.ensure = () => {
      throw gone;
    };
    await tables.start();
    expect(onError).toHaveBeenCalledWith("table:users", gone);
    expect(await tables.tasks()).toHaveLength(1);
  });

  it("answers status() with what was last known where the books cannot be read", async () => {
    const fake = new FakeTables();
    const tables = fake.replication({ tables: ["users"] });
    await tables.start();
    fake.script.task = () => {
      throw new ReplicaError("LOCAL_DATABASE", "disk I/O error");
    };
    expect(await tables.status()).toMatchObject([{ targetTable: "users" }]);
    await expect(tables.tasks()).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
  });
});
