import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type StoredTask, TaskStore } from "../../../src/tables/tasks/task-store.js";
import { tempDir } from "../../support/temp-dir.js";
import { openLocal, sourceTable } from "../local/local-fixture.js";

function task(id: string, other: Partial<StoredTask> = {}): StoredTask {
  return {
    id,
    source: "main",
    sourceTable: "public.users",
    targetTable: `users_${id}`,
    columns: null,
    cursorColumn: "updated_at",
    mode: "upsert",
    intervalSeconds: 300,
    batchSize: 5_000,
    deletes: null,
    numeric: "real",
    paused: false,
    ...other,
  };
}

/** What a task has that has not run yet. */
const NEW = { cursor: null, lastRun: null, lastSuccessAt: null };

async function newStore(path?: string) {
  const database = await openLocal(path);
  const store = new TaskStore(database);
  store.create();
  return { database, store };
}

describe("TaskStore", () => {
  it("keeps tasks as they were given, in the order they were made, over a restart", async () => {
    const path = join(tempDir(), "local.db");
    const { database, store } = await newStore(path);
    const plain = task("b");
    const full = task("a", {
      columns: ["id", 'na"me'],
      cursorColumn: null,
      mode: null,
      intervalSeconds: 0.5,
      deletes: "reconcile",
      numeric: "text",
      paused: true,
    });
    expect(store.insert(plain)).toEqual({ ...plain, ...NEW });
    store.insert(full);
    database.close();
    const again = await newStore(path);
    expect(again.store.list()).toEqual([
      { ...plain, ...NEW },
      { ...full, ...NEW },
    ]);
    expect(again.store.get("a")).toEqual({ ...full, ...NEW });
    expect(again.store.get("c")).toBeNull();
  });

  it("finds a task by its target whatever the case, and gives a target to one task alone", async () => {
    const { store } = await newStore();
    store.insert(task("1", { targetTable: "Users" }));
    expect(store.findByTarget("uSERS")?.id).toBe("1");
    expect(store.findByTarget("user")).toBeNull();
    expect(() => store.insert(task("2", { targetTable: "users" }))).toThrow(
      expect.objectContaining({ code: "TARGET_TAKEN", message: expect.stringContaining('"public.users" to "Users"') }),
    );
  });

  it("changes what is named and nothing else", async () => {
    const { store } = await newStore();
    store.insert(task("1", { columns: ["id"] }));
    expect(store.update("1", { paused: true, intervalSeconds: 60 })).toMatchObject({
      paused: true,
      intervalSeconds: 60,
    });
    store.update("1", {});
    expect(store.update("1", { cursorColumn: null, columns: null, mode: "full" })).toEqual({
      ...task("1", { paused: true, intervalSeconds: 60, cursorColumn: null, mode: "full" }),
      ...NEW,
    });
    expect(() => store.update("2", { paused: true })).toThrow(expect.objectContaining({ code: "UNKNOWN_TASK" }));
  });

  it("writes state in the transaction of the rows", async () => {
    const { database, store } = await newStore();
    database.exec("CREATE TABLE users_1 (id INTEGER)");
    store.insert(task("1"));
    expect(store.readState("users_1")).toBeNull();
    const state = {
      table: sourceTable({ id: "INTEGER" }, ["id"]),
      data: { pass: [1, "x", null] },
      cursor: "2026-01-01T00:00:00Z",
    };
    database.transaction(() => {
      database.run("INSERT INTO users_1 VALUES (1)");
      store.writeState("users_1", state);
    });
    expect(store.readState("Users_1")).toEqual(state);
    expect(store.get("1")?.cursor).toBe("2026-01-01T00:00:00Z");
    expect(() =>
      database.transaction(() => {
        database.run("INSERT INTO users_1 VALUES (2)");
        store.writeState("users_1", { ...state, cursor: "later" });
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(store.readState("users_1")?.cursor).toBe(state.cursor);
    store.writeState("users_1", { table: null, data: undefined, cursor: null });
    expect(store.readState("users_1")).toEqual({ table: null, data: null, cursor: null });
  });

  it("remembers after a task is removed that the table was made here, and nothing of its cursor", async () => {
    const { database, store } = await newStore();
    store.insert(task("1", { targetTable: "users" }));
    const table = sourceTable({ id: "INTEGER" }, ["id"]);
    store.writeState("users", { table, data: 1, cursor: "5" });
    store.beginRun("1", "2026-01-01T00:00:00.000Z");
    expect(store.remove("1")).toBe(true);
    store.releaseState("users");
    expect(store.remove("1")).toBe(false);
    expect(store.runs("1", 10)).toEqual([]);
    expect(store.readState("users")).toEqual({ table, data: null, cursor: null });
    expect(store.insert(task("2", { targetTable: "users" })).cursor).toBeNull();
    store.writeState("users", { table, data: 2, cursor: "6" });
    expect(store.get("2")?.cursor).toBe("6");
    expect(database.get("SELECT task_id FROM replication_state")).toEqual({ task_id: "2" });
    store.removeState("users");
    expect(store.readState("users")).toBeNull();
  });

  it("records runs, newest first, with what became of them", async () => {
    const { store } = await newStore();
    store.insert(task("1"));
    const first = store.beginRun("1", "2026-01-01T00:00:00.000Z");
    const fresh = {
      taskId: "1",
      startedAt: "2026-01-01T00:00:00.000Z",
      finishedAt: null,
      rowsPulled: 0,
      rowsDeleted: 0,
      bytes: 0,
      cursor: null,
      lossyValues: 0,
      nullCursorRows: 0,
      droppedColumns: [],
      notes: [],
      error: null,
    };
    expect(store.get("1")?.lastRun).toEqual(fresh);
    const done = {
      finishedAt: "2026-01-01T00:00:05.000Z",
      rowsPulled: 7,
      rowsDeleted: 1,
      bytes: 2 ** 40,
      cursor: "c",
      lossyValues: 2,
      nullCursorRows: 3,
      droppedColumns: ["a", "b"],
      notes: ["copied anew"],
      error: { code: "SOURCE_UNREACHABLE", message: "no answer" },
    } as const;
    store.updateRun(first, { rowsPulled: 3 });
    store.updateRun(first, done);
    store.updateRun(first, {});
    const second = store.beginRun("1", "2026-01-01T00:01:00.000Z");
    expect(second).toBeGreaterThan(first);
    expect(store.runs("1", 10)).toEqual([
      { ...fresh, startedAt: "2026-01-01T00:01:00.000Z" },
      { ...fresh, ...done },
    ]);
    expect(store.runs("1", 1).length).toBe(1);
    store.updateRun(first, { error: null });
    expect(store.runs("1", 2)[1]?.error).toBeNull();
    expect(store.lastRun("other")).toBeNull();
  });

  it("keeps when the last successful run of a task began, whatever failed or was cut short after it, over a restart", async () => {
    const path = join(tempDir(), "local.db");
    const { database, store } = await newStore(path);
    const at = (minute: number) => `2026-01-01T00:0${minute}:00.000Z`;
    const end = { finishedAt: at(9) };
    store.insert(task("1"));
    const first = store.beginRun("1", at(0));
    store.writeState("users_1", { table: null, data: null, cursor: "1" });
    expect(store.get("1")?.lastSuccessAt).toBeNull();
    store.updateRun(first, { ...end, error: null });
    store.updateRun(store.beginRun("1", at(1)), { ...end, error: { code: "SOURCE_UNREACHABLE", message: "down" } });
    expect(store.get("1")?.lastSuccessAt).toBe(at(0));
    store.updateRun(store.beginRun("1", at(2)), { ...end, error: null });
    store.beginRun("1", at(3));
    store.writeState("users_1", { table: null, data: null, cursor: "2" });
    database.close();
    const after = (await newStore(path)).store;
    after.closeInterruptedRuns();
    expect(after.list()[0]).toMatchObject({ lastSuccessAt: at(2), lastRun: { startedAt: at(3) } });
  });

  it("knows nothing of the runs of the task that had the target before", async () => {
    const { store } = await newStore();
    store.insert(task("1", { targetTable: "users" }));
    store.writeState("users", { table: null, data: 1, cursor: "1" });
    store.updateRun(store.beginRun("1", "2026-01-01T00:00:00.000Z"), {
      finishedAt: "2026-01-01T00:00:01.000Z",
      error: null,
    });
    store.remove("1");
    store.releaseState("users");
    expect(store.insert(task("2", { targetTable: "users" })).lastSuccessAt).toBeNull();
    store.writeState("users", { table: null, data: 1, cursor: "1" });
    expect(store.get("2")?.lastSuccessAt).toBeNull();
  });

  it("keeps the newest 200 runs of each task", async () => {
    const { database, store } = await newStore();
    store.beginRun("other", "2026-01-01T00:00:00.000Z");
    const at = (n: number) => new Date(n * 1_000).toISOString();
    database.transaction(() => {
      for (let n = 0; n < 230; n += 1) store.beginRun("1", at(n));
    });
    const runs = store.runs("1", 1_000);
    expect(runs.length).toBe(200);
    expect([runs[0]?.startedAt, runs[199]?.startedAt]).toEqual([at(229), at(30)]);
    expect(store.runs("other", 10).length).toBe(1);
  });

  it("ends the runs that a crash has cut short", async () => {
    const path = join(tempDir(), "local.db");
    const { store } = await newStore(path);
    const ended = store.beginRun("1", "2026-01-01T00:00:00.000Z");
    store.updateRun(ended, { finishedAt: "2026-01-01T00:00:01.000Z" });
    store.beginRun("1", "2026-01-01T00:01:00.000Z");
    const after = (await newStore(path)).store;
    expect(after.closeInterruptedRuns()).toBe(1);
    expect(after.closeInterruptedRuns()).toBe(0);
    const [cut, whole] = after.runs("1", 2);
    expect(cut).toMatchObject({ finishedAt: expect.stringMatching(/Z$/), error: { code: "WORKER_FAILED" } });
    expect(whole).toMatchObject({ finishedAt: "2026-01-01T00:00:01.000Z", error: null });
  });

  it("ends a run whose end could not be recorded when the task's next one begins", async () => {
    const { store } = await newStore(join(tempDir(), "local.db"));
    store.beginRun("1", "2026-01-01T00:00:00.000Z");
    store.beginRun("2", "2026-01-01T00:00:00.000Z");
    store.beginRun("1", "2026-01-01T00:01:00.000Z");
    const [current, lost] = store.runs("1", 2);
    expect(current).toMatchObject({ finishedAt: null, error: null });
    expect(lost).toMatchObject({ finishedAt: "2026-01-01T00:01:00.000Z", error: { code: "LOCAL_DATABASE" } });
    expect(store.runs("2", 1)[0]).toMatchObject({ finishedAt: null });
  });

  it("leaves tables alone that have its names and are somebody else's", async () => {
    const database = await openLocal();
    database.exec("CREATE TABLE replication_tasks (id, other)");
    expect(() => new TaskStore(database).create()).toThrow(
      expect.objectContaining({ code: "LOCAL_DATABASE", message: expect.stringContaining("columns id, other") }),
    );
    expect(database.all("SELECT name FROM sqlite_schema")).toEqual([{ name: "replication_tasks" }]);
  });

  it("refuses the books of a newer version", async () => {
    const { database, store } = await newStore();
    store.create();
    database.run("UPDATE replication_version SET version = 2");
    expect(() => store.create()).toThrow(
      expect.objectContaining({ code: "LOCAL_DATABASE", message: expect.stringContaining("version 2") }),
    );
  });
});
