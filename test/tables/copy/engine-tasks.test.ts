import { beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres.js";
import { type CopiedDatabase, startOver, USERS } from "./copied-database.js";
import { startEngine } from "./engine-fixture.js";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

const start = (sql: string): Promise<CopiedDatabase> => startOver(postgres, sql);

describe("Tasks", () => {
  it("do not share a target, nor take somebody else's table", async () => {
    const { add, change } = await start(`${USERS}; CREATE TABLE other (id int PRIMARY KEY)`);
    await add({ sourceTable: "users" });
    await expect(add({ sourceTable: "other", targetTable: "USERS" })).rejects.toMatchObject({ code: "TARGET_TAKEN" });
    change("CREATE TABLE mine (x)");
    await expect(add({ sourceTable: "other", targetTable: "mine" })).rejects.toMatchObject({ code: "TARGET_TAKEN" });
  });

  it("leave their table, which a new task replaces by a fresh copy", async () => {
    const { add, engine, rows, source } = await start(`${USERS}; INSERT INTO users (name) VALUES ('Ada'), ('Grace')`);
    const task = await add({ sourceTable: "users" });
    await engine.removeTask(task.id);
    expect(rows("SELECT count(*) AS n FROM users")).toEqual([{ n: 2 }]);
    await source.query("DELETE FROM users WHERE name = 'Ada'");
    await add({ sourceTable: "users" });
    expect(rows("SELECT name FROM users")).toEqual([{ name: "Grace" }]);
  });

  it("of the configuration are kept while the source is out of reach, and begin when it is back", async () => {
    const source = await postgres.createDatabase();
    await source.query(`${USERS}; INSERT INTO users (name) VALUES ('Ada')`);
    const wrong = await startEngine(source.urlFor({ password: "wrong" }));
    const signal = new AbortController().signal;
    const task = await wrong.engine.ensureTask({ sourceTable: "users", deletes: "reconcile" }, signal);
    expect(task).toMatchObject({ mode: null, cursorColumn: null });
    await expect(wrong.run(task)).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
    await wrong.engine.close();
    const right = await startEngine(source.url, { database: wrong.file });
    const kept = await right.engine.ensureTask({ sourceTable: "users", deletes: "reconcile" }, signal);
    expect(kept.id).toBe(task.id);
    await right.run(kept);
    expect(await right.engine.task(kept.id)).toMatchObject({ mode: "upsert", cursorColumn: "updated_at" });
    expect(right.rows("SELECT name FROM users")).toEqual([{ name: "Ada" }]);
  });

  it("of the configuration that were changed while the source was out of reach are planned when it is back", async () => {
    const source = await postgres.createDatabase();
    await source.query(`${USERS}; INSERT INTO users (name) VALUES ('Ada')`);
    const signal = new AbortController().signal;
    const first = await startEngine(source.url);
    await first.run(await first.engine.ensureTask({ sourceTable: "users" }, signal));
    await first.engine.close();
    const away = await startEngine(source.urlFor({ password: "wrong" }), { database: first.file });
    expect((await away.engine.ensureTask({ sourceTable: "users", numeric: "text" }, signal)).mode).toBeNull();
    await away.engine.close();
    const back = await startEngine(source.url, { database: first.file });
    const task = await back.engine.ensureTask({ sourceTable: "users", numeric: "text", mode: "append" }, signal);
    await back.run(task);
    await back.run(task);
    expect(await back.engine.task(task.id)).toMatchObject({ mode: "append", cursorColumn: "id" });
    expect(back.rows("SELECT name FROM users")).toEqual([{ name: "Ada" }]);
  });

  it("of the configuration find their table again, whatever dots its name has", async () => {
    const { engine, run, rows } = await start(
      `CREATE SCHEMA s; CREATE TABLE s."My.Table" (id serial PRIMARY KEY); INSERT INTO s."My.Table" DEFAULT VALUES`,
    );
    const signal = new AbortController().signal;
    const task = await engine.ensureTask({ sourceTable: "s.My.Table" }, signal);
    expect(task.targetTable).toBe("My.Table");
    await run(task);
    expect((await engine.ensureTask({ sourceTable: "s.My.Table" }, signal)).id).toBe(task.id);
    expect(rows(`SELECT count(*) AS n FROM "My.Table"`)).toEqual([{ n: 1 }]);
  });

  it("of the configuration are made anew where they ask for another copy, and kept where they do not", async () => {
    const { add, engine, run, rows } = await start(`${USERS}; INSERT INTO users (name) VALUES ('Ada')`);
    const task = await add({ sourceTable: "users" });
    const signal = new AbortController().signal;
    expect((await engine.ensureTask({ sourceTable: "users", intervalSeconds: 7 }, signal)).id).toBe(task.id);
    expect((await engine.task(task.id)).intervalSeconds).toBe(7);
    const other = await engine.ensureTask({ sourceTable: "users", mode: "append", cursorColumn: "id" }, signal);
    expect(other.id).not.toBe(task.id);
    await run(other);
    expect(rows("SELECT name FROM users")).toEqual([{ name: "Ada" }]);
  });
});
