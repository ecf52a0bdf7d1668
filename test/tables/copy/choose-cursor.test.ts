import { describe, expect, it } from "vitest";
import { planCopy } from "../../../src/tables/copy/choose-cursor.js";
import type { SourceColumn, SourceTable } from "../../../src/tables/sources/source-table.js";
import type { TableTaskDefinition } from "../../../src/tables/tasks/table-task.js";

function column(
  name: string,
  order: SourceColumn["order"] = "number",
  extra: Partial<SourceColumn> = {},
): SourceColumn {
  return {
    name,
    sourceType: order === "time" ? "timestamp with time zone" : order === "number" ? "bigint" : "jsonb",
    nullable: false,
    targetType: "TEXT",
    mapping: "m",
    order,
    unique: false,
    increasing: false,
    indexed: true,
    ...extra,
  };
}

function table(columns: readonly SourceColumn[], primaryKey: readonly string[] = ["id"]): SourceTable {
  return { schema: "public", name: "t", identity: "1", columns, primaryKey, estimatedRows: null, rangesIndexed: true };
}

const id = column("id", "number", { unique: true, increasing: true });
const plainId = column("id");
const created = column("created_at", "time");
const updated = column("updated_at", "time");
const plan = (source: SourceTable, wishes: Partial<TableTaskDefinition> = {}) =>
  planCopy(source, { sourceTable: "t", ...wishes });

describe("planCopy", () => {
  it("follows updated_at with upsert, else created_at, else an increasing id with append, else copies in full", () => {
    expect(plan(table([id, created, updated]))).toEqual({ mode: "upsert", cursorColumn: "updated_at" });
    expect(plan(table([id, created]))).toEqual({ mode: "append", cursorColumn: "created_at" });
    expect(plan(table([id, column("name", null)]))).toEqual({ mode: "append", cursorColumn: "id" });
    expect(plan(table([plainId]))).toEqual({ mode: "full", cursorColumn: null });
  });

  it("finds Updated_At whatever its capitals", () => {
    expect(plan(table([id, column("Updated_At", "time")])).cursorColumn).toBe("Updated_At");
  });

  it("does not follow an updated_at that has no order", () => {
    expect(plan(table([id, column("updated_at", null)]))).toEqual({ mode: "append", cursorColumn: "id" });
  });

  it("copies a table without a key in full where rows change, and appends where they do not", () => {
    expect(plan(table([created, updated], []))).toEqual({ mode: "full", cursorColumn: null });
    expect(plan(table([created], []))).toEqual({ mode: "append", cursorColumn: "created_at" });
  });

  it("appends by what never changes", () => {
    expect(plan(table([id, created, updated]), { mode: "append" }).cursorColumn).toBe("created_at");
    expect(plan(table([id, updated]), { mode: "append" }).cursorColumn).toBe("id");
    expect(plan(table([plainId, updated]), { mode: "append" }).cursorColumn).toBe("updated_at");
  });

  it("takes reconcile for granted with full, and full for a table without a key that is to be reconciled", () => {
    expect(plan(table([plainId]), { mode: "full", deletes: "reconcile" }).mode).toBe("full");
    expect(plan(table([created], []), { deletes: "reconcile" })).toEqual({ mode: "full", cursorColumn: null });
  });

  it("takes the cursor that was given", () => {
    expect(plan(table([id, column("version")]), { cursorColumn: "version" })).toEqual({
      mode: "upsert",
      cursorColumn: "version",
    });
    expect(plan(table([id, updated]), { cursorColumn: "id", mode: "append" })).toEqual({
      mode: "append",
      cursorColumn: "id",
    });
  });

  it.each([
    [
      "upsert without a key",
      table([created], []),
      { mode: "upsert", cursorColumn: "created_at" },
      /^mode: upsert needs a primary key/,
    ],
    [
      "a number that is not unique, without a key",
      table([plainId], []),
      { mode: "append", cursorColumn: "id" },
      /^cursorColumn: t has no primary key, and several rows may share a "id"/,
    ],
    [
      "reconcile without a key",
      table([created], []),
      { mode: "append", deletes: "reconcile" },
      /^deletes: reconcile compares rows by primary key/,
    ],
    ["a cursor with full", table([id]), { mode: "full", cursorColumn: "id" }, /^cursorColumn: full copies/],
    [
      "an unknown cursor",
      table([id, updated]),
      { cursorColumn: "updatedAt" },
      /no column "updatedAt" \(id, updated_at\)/,
    ],
    [
      "a cursor without order",
      table([id, column("doc", null)]),
      { cursorColumn: "doc" },
      /"doc" is jsonb, whose values do not grow/,
    ],
    ["a mode without a cursor", table([plainId]), { mode: "append" }, /^cursorColumn: t has no updated_at/],
  ] as const)("refuses %s, with the field and the reason", (_what, source, wishes, message) => {
    let error: unknown;
    try {
      plan(source, wishes as Partial<TableTaskDefinition>);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: "INVALID_TASK", message: expect.stringMatching(message) });
    expect(error).toHaveProperty("hint", expect.stringMatching(/./));
  });
});
