import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { DatabaseRemoval } from "../../../src/pages/database-removal.js";
import { tempDir } from "../../support/temp-dir.js";

/** Accounts and a store that fail when they are told to, and write down what they are asked. */
function parts(ids: readonly string[]) {
  const rows = new Set(ids);
  const files = new Set(ids);
  const asked: string[] = [];
  const errors: unknown[] = [];
  const broken = new Set<string>();
  const step = (name: string) => {
    asked.push(name);
    if (broken.has(name)) throw new Error(`${name} failed`);
  };
  const dir = tempDir();
  const removal = new DatabaseRemoval({
    dir,
    accounts: {
      database: async (orgId, id) => {
        if (!rows.has(id)) throw new ReplicaError("UNKNOWN_DATABASE", "none");
        return { id, orgId, name: id, createdAt: 0 };
      },
      deleteDatabase: async (_orgId, id) => {
        step("row");
        rows.delete(id);
      },
      databaseIds: async () => [...rows],
    },
    store: {
      ids: async () => [...files],
      remove: async (id) => {
        step("files");
        files.delete(id);
      },
    },
    onError: (error) => errors.push(error),
  });
  const endpoint = { endDatabase: async () => step("syncs") };
  const remove = (id: string) => removal.remove("o", id, endpoint);
  return { removal, remove, rows, files, asked, errors, broken, marks: () => readdirSync(join(dir, "deleting")) };
}

describe("the removal of a database", () => {
  it("takes the row, then the syncs, then the files", async () => {
    const { remove, asked, marks } = parts(["a", "b"]);
    await remove("a");
    expect(asked).toEqual(["row", "syncs", "files"]);
    expect(marks()).toEqual([]);
  });

  it.each(["syncs", "files"])("that failed at the %s is finished at the next start", async (where) => {
    const { remove, removal, files, broken, errors, marks } = parts(["a", "b"]);
    broken.add(where);
    await expect(remove("a")).rejects.toThrow("failed");
    broken.clear();
    await removal.finish();
    expect([...files]).toEqual(["b"]);
    expect([marks(), errors]).toEqual([[], []]);
  });

  it("that failed at the row has removed nothing, and does not later", async () => {
    const { remove, removal, rows, files, broken, errors, marks } = parts(["a"]);
    broken.add("row");
    await expect(remove("a")).rejects.toThrow("row failed");
    await removal.finish();
    expect([[...rows], [...files]]).toEqual([["a"], ["a"]]);
    expect([marks(), errors]).toEqual([[], []]);
  });

  it("that still fails at the next start is told, and tried at the one after", async () => {
    const { remove, removal, files, broken, errors, marks } = parts(["a", "b"]);
    broken.add("files");
    await expect(remove("a")).rejects.toThrow("files failed");
    await removal.finish();
    expect(errors).toMatchObject([{ message: "files failed" }]);
    expect(marks()).toEqual(["a"]);
    broken.clear();
    await removal.finish();
    expect([...files]).toEqual(["b"]);
    expect(marks()).toEqual([]);
  });

  it("names a few of the files that belong to nobody, and how many more", async () => {
    const ids = Array.from({ length: 8 }, (_, index) => `stranger-${index}`);
    const { removal, rows, files, errors } = parts(ids);
    rows.clear();
    await removal.finish();
    expect(files.size).toBe(8);
    expect(errors).toMatchObject([{ code: "PAGE_STORE", message: expect.stringMatching(/stranger-4 and 3 more$/) }]);
  });
});
