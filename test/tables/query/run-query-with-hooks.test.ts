import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import type { QueryRunner } from "../../../src/tables/query/query-runner.js";
import { type QueryHooks, runQueryWithHooks } from "../../../src/tables/query/run-query-with-hooks.js";
import { atEnd } from "../../support/at-end.js";
import { waitFor } from "../../support/wait.js";

/** Gives back what it was asked, as a row; fails where the SQL says so. */
const runner: QueryRunner = {
  query: async (sql, params) => {
    if (sql === "fail") throw new ReplicaError("QUERY_FAILED", "no such table");
    return { columns: ["sql", "params"], rows: [[sql, JSON.stringify(params)]] };
  },
  close: async () => {},
};
const run = (hooks: QueryHooks, sql = "SELECT 1") => runQueryWithHooks(runner, hooks, { sql, params: [1] });

describe("beforeQuery", () => {
  it("sees the query and lets it be", async () => {
    const seen: unknown[] = [];
    const result = await run({ beforeQuery: (query) => void seen.push(query) });
    expect(seen).toEqual([{ sql: "SELECT 1", params: [1] }]);
    expect(result.rows).toEqual([["SELECT 1", "[1]"]]);
  });

  it("changes SQL, parameters or both, at once or later", async () => {
    expect((await run({ beforeQuery: () => ({ sql: "SELECT 2" }) })).rows).toEqual([["SELECT 2", "[1]"]]);
    expect((await run({ beforeQuery: async () => ({ params: { a: 2 } }) })).rows).toEqual([["SELECT 1", '{"a":2}']]);
  });

  it("does not change the caller's parameters by changing what it was shown", async () => {
    const result = await run({ beforeQuery: ({ params }) => void (params as number[]).push(2) });
    expect(result.rows).toEqual([["SELECT 1", "[1]"]]);
  });

  it("refuses by throwing, with its own words, and the query does not run", async () => {
    const told: unknown[] = [];
    const hooks: QueryHooks = {
      beforeQuery: async () => {
        throw new Error("not on Sundays");
      },
      afterQuery: (report) => told.push(report),
    };
    await expect(run(hooks)).rejects.toMatchObject({ code: "QUERY_REFUSED", message: "not on Sundays" });
    expect(told).toEqual([]);
  });
});

describe("afterQuery", () => {
  it("is told how the query that ran went", async () => {
    const told: Parameters<NonNullable<QueryHooks["afterQuery"]>>[0][] = [];
    const hooks: QueryHooks = { afterQuery: (report) => told.push(report) };
    await run({ ...hooks, beforeQuery: () => ({ sql: "SELECT 2" }) });
    await run(hooks, "fail").catch(() => {});
    expect(told).toMatchObject([
      { sql: "SELECT 2", params: [1], rows: 1, error: null },
      { sql: "fail", params: [1], rows: null, error: { code: "QUERY_FAILED" } },
    ]);
    expect(told[0]?.durationMs).toBeGreaterThanOrEqual(0);
  });

  it("does no harm when it throws", async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.message);
    process.on("warning", note);
    atEnd(() => process.removeListener("warning", note));
    const hooks: QueryHooks = {
      afterQuery: ({ sql }) => {
        throw new Error(`bad hook after ${sql}`);
      },
    };
    await expect(run(hooks)).resolves.toMatchObject({ columns: ["sql", "params"] });
    await expect(run(hooks, "fail")).rejects.toMatchObject({ code: "QUERY_FAILED" });
    await waitFor(() => warnings.length === 2);
  });
});
