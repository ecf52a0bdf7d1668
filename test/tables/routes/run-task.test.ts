import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { runTask } from "../../../src/tables/routes/run-task.js";
import type { TableControl, TableTask } from "../../../src/tables/table-control.js";
import type { TableRun } from "../../../src/tables/tasks/table-task.js";

type Run = Pick<TableRun, "startedAt" | "finishedAt" | "error">;

const error = { code: "SOURCE_UNREACHABLE", message: "down" } as const;
const ended = (startedAt: string, failure: TableRun["error"]): Run => ({
  startedAt,
  finishedAt: "later",
  error: failure,
});

/** Control of one task whose next run fails; the books have these runs, newest first. */
function failing(runs: readonly Run[]): TableControl {
  const control: Partial<TableControl> = {
    task: async (id) => ({ id, state: "idle" }) as TableTask,
    runTask: async () => {
      throw new ReplicaError(error.code, error.message);
    },
    runs: async (_, limit) => runs.slice(0, limit) as unknown as readonly TableRun[],
  };
  return control as TableControl;
}

describe("runTask", () => {
  it.each([
    ["that a retry follows", [{ startedAt: "3", finishedAt: null, error: null }, ended("2", error), ended("1", error)]],
    ["that a success follows", [ended("3", null), ended("2", error), ended("1", error)]],
  ])("gives the run that failed, also one %s", async (_, runs) => {
    await expect(runTask(failing(runs), "1", undefined)).rejects.toMatchObject({
      status: 502,
      code: "SOURCE_UNREACHABLE",
      more: { run: { startedAt: "2", error } },
    });
  });

  it("gives no run where none has been recorded", async () => {
    await expect(runTask(failing([ended("1", null)]), "1", "5")).rejects.toMatchObject({
      status: 502,
      more: { run: null },
    });
  });
});
