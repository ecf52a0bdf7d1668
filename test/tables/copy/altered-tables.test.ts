import { beforeAll, describe, expect, it } from "vitest";
import type { ReplicaError } from "../../../src/errors.js";
import { createPostgresSource } from "../../../src/tables/sources/postgres/create-postgres-source.js";
import { atEnd } from "../../support/at-end.js";
import { startPostgres, type TestDatabase, type TestPostgres } from "../../support/postgres.js";
import { type EngineFixture, NEVER, startEngine } from "./engine-fixture.js";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

async function start(sql: string): Promise<EngineFixture & { readonly source: TestDatabase }> {
  const source = await postgres.createDatabase();
  await source.query(sql);
  return { ...(await startEngine(source.url)), source };
}

const USERS = `CREATE TABLE users (id bigserial PRIMARY KEY, name text, updated_at timestamptz NOT NULL DEFAULT clock_timestamp());
  INSERT INTO users (name) VALUES ('Ada'), ('Grace')`;

describe("A table that was altered at the source", () => {
  it("loses the values of a column that was dropped and added again under its name", async () => {
    const { add, rows, run, source } = await start(USERS);
    const task = await add({ sourceTable: "users" });
    await source.query("ALTER TABLE users DROP name; ALTER TABLE users ADD name text");
    await run(task);
    expect(rows("SELECT name FROM users")).toEqual([{ name: null }, { name: null }]);
    await source.query("ALTER TABLE users DROP name; ALTER TABLE users ADD name text DEFAULT 'again'");
    expect(await run(task)).toMatchObject({ droppedColumns: [] });
    expect(rows("SELECT name FROM users")).toEqual([{ name: "again" }, { name: "again" }]);
  });

  it("is an error where its primary key has gone and upsert needs one: no row is doubled", async () => {
    const { add, rows, run, source } = await start(USERS);
    const task = await add({ sourceTable: "users", mode: "upsert", cursorColumn: "updated_at" });
    await source.query("ALTER TABLE users DROP CONSTRAINT users_pkey");
    await source.query("UPDATE users SET name = 'Ada L.', updated_at = clock_timestamp() WHERE id = 1");
    await expect(run(task)).rejects.toMatchObject({
      code: "INVALID_TASK",
      message: expect.stringContaining("primary key"),
    });
    expect(rows("SELECT name FROM users ORDER BY id")).toEqual([{ name: "Ada" }, { name: "Grace" }]);
    await source.query("ALTER TABLE users ADD PRIMARY KEY (id)");
    await run(task);
    expect(rows("SELECT name FROM users ORDER BY id")).toEqual([{ name: "Ada L." }, { name: "Grace" }]);
  });

  it("is an error where its cursor column has gone, and the copy stays as it is", async () => {
    const { add, rows, run, source } = await start(USERS);
    const task = await add({ sourceTable: "users" });
    const before = rows("SELECT * FROM users");
    await source.query("ALTER TABLE users RENAME updated_at TO changed_at");
    await expect(run(task)).rejects.toMatchObject({
      code: "INVALID_TASK",
      message: expect.stringContaining("updated_at"),
    });
    expect(rows("SELECT * FROM users")).toEqual(before);
    await source.query("ALTER TABLE users RENAME changed_at TO updated_at");
    expect((await run(task)).error).toBeNull();
  });

  it.each(["upsert", "full"] as const)("is compared as it is now: %s", async (mode) => {
    const { add, rows, source, verify } = await start(USERS);
    const task = await add({ sourceTable: "users", mode });
    await source.query("ALTER TABLE users ADD plan text DEFAULT 'free', DROP name");
    expect(await verify(task)).toMatchObject({ equal: true });
    expect(rows("SELECT plan FROM users")).toEqual([{ plan: "free" }, { plan: "free" }]);
  });
});

describe("A table that is dropped and made again while it is looked at", () => {
  it("is never taken for one that may not be read", async () => {
    const source = await postgres.createDatabase();
    await source.query(USERS);
    const postgresSource = createPostgresSource(source.url);
    atEnd(() => postgresSource.close());
    let [over, looks] = [false, 0];
    const codes = new Set<string>();
    const look = async (): Promise<void> => {
      while (!over) {
        looks += 1;
        await postgresSource
          .describe("users", { numeric: "real", signal: NEVER })
          .catch((error: ReplicaError) => void codes.add(error.code));
      }
    };
    const looking = [look(), look(), look()];
    for (let round = 0; round < 60 || looks <= 20; round += 1)
      await source.query(`BEGIN; DROP TABLE users; ${USERS}; COMMIT`);
    over = true;
    await Promise.all(looking);
    expect(codes).not.toContain("SOURCE_REFUSED");
    expect(looks).toBeGreaterThan(20);
  });
});

describe("A copy that is made anew", () => {
  it("leaves nothing beside the table when its task is paused or removed meanwhile", async () => {
    const { add, engine, rows, source } = await start(
      "CREATE TABLE pairs (a int, b text); INSERT INTO pairs SELECT i, repeat('x', 200) FROM generate_series(1, 20000) i",
    );
    const task = await add({ sourceTable: "pairs", mode: "full", batchSize: 10 });
    await source.query("UPDATE pairs SET b = 'new'");
    const shadows = (): unknown[] => rows("SELECT name FROM sqlite_schema WHERE name LIKE '%shadow%'");
    const running = engine.advance(task.id, "scheduled", NEVER);
    await expect.poll(shadows).toHaveLength(1);
    await engine.updateTask(task.id, { paused: true });
    await running.catch(() => {});
    expect(shadows()).toEqual([]);
    expect(rows("SELECT count(*) AS n FROM pairs WHERE b = 'new'")).toEqual([{ n: 0 }]);
  });
});
