import { beforeAll, describe, expect, it } from "vitest";
import { type CopyState, NEW_COPY } from "../../../src/tables/copy/copy-state.js";
import { passCursor } from "../../../src/tables/copy/cursor-pass.js";
import { createPostgresSource } from "../../../src/tables/sources/postgres/create-postgres-source.js";
import type { SourceBatch } from "../../../src/tables/sources/table-source.js";
import { atEnd } from "../../support/at-end.js";
import { startPostgres, type TestPostgres } from "../../support/postgres.js";
import { NEVER } from "./engine-fixture.js";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

/** 1,000 rows whose order of `updated_at` has nothing to do with that of `id`; every tenth has no `updated_at`. */
async function startCopy() {
  const database = await postgres.createDatabase();
  await database.query(`CREATE TABLE items (id int PRIMARY KEY, name text, updated_at timestamptz);
    INSERT INTO items SELECT i, 'old', CASE WHEN i % 10 > 0 THEN timestamptz '2024-01-01' + (i * 7919 % 1000) * interval '1 s' END
      FROM generate_series(1, 1000) i`);
  const source = createPostgresSource(database.url);
  atEnd(() => source.close());
  const rows = new Map<unknown, unknown>();
  let state: CopyState = NEW_COPY;
  const copy = {
    database,
    /** Keys in the order in which they came. */
    ids: [] as unknown[],
    name: (id: number) => rows.get(id),
    size: () => rows.size,
    state: () => state,
    /** Passes until so many batches have come, or to its end. */
    async pass(batches = Number.POSITIVE_INFINITY): Promise<void> {
      const table = await source.describe("items", { numeric: "real", signal: NEVER });
      const write = (batch: SourceBatch | null, next: CopyState): void => {
        for (const [id, name] of batch?.rows ?? []) {
          copy.ids.push(id);
          rows.set(id, name);
        }
        state = next;
      };
      const options = { source, table, cursorColumn: "updated_at", batchSize: 100, lagSeconds: 0, signal: NEVER };
      let count = 0;
      for await (const _ of passCursor({ ...options, start: state, write, onNullCursors: () => {} })) {
        count += 1;
        if (count === batches) break;
      }
    },
  };
  return copy;
}

const ALL = Array.from({ length: 1000 }, (_, index) => index + 1);

describe("A first copy", () => {
  it("goes by primary key, rows without a cursor among them, and reads each row once", async () => {
    const { ids, pass, state } = await startCopy();
    await pass();
    expect(ids).toEqual(ALL);
    expect(state()).toMatchObject({ scan: null, nulls: "done", complete: true });
    expect(state().horizon.position?.[0]).toContain("2024-01-01");
    await pass();
    expect(ids).toHaveLength(1000);
  });

  it("goes on after the last key that was kept", async () => {
    const { ids, pass, state } = await startCopy();
    await pass(3);
    expect(state().scan).toEqual(["300"]);
    await pass();
    expect(ids).toEqual(ALL);
  });

  it("is followed by what changed behind it and before it", async () => {
    const { database, ids, name, pass, size } = await startCopy();
    await pass(3);
    await database.query("UPDATE items SET name = 'new', updated_at = clock_timestamp() WHERE id IN (5, 10, 995)");
    await database.query("INSERT INTO items VALUES (-1, 'new', clock_timestamp()), (2000, 'new', clock_timestamp())");
    await pass();
    expect([-1, 5, 10, 995, 2000].map(name)).toEqual(Array(5).fill("new"));
    expect(size()).toBe(1002);
    expect(ids.slice(0, 1000)).toEqual(ALL);
  });

  it("asks to be compared when a transaction has ended that was open from before, and reads nothing twice", async () => {
    const { database, ids, pass, state } = await startCopy();
    const early = await database.connect();
    await early.query("BEGIN; UPDATE items SET name = 'early', updated_at = '2024-01-01 00:00:01' WHERE id = 150");
    await pass(3);
    expect(state()).toMatchObject({ scan: ["300"], compare: false, horizon: { held: [{ from: null }] } });
    await early.query("COMMIT");
    await pass();
    expect(state()).toMatchObject({ scan: null, compare: true, complete: true, horizon: { held: [] } });
    expect(ids).toEqual(ALL);
  });
});
