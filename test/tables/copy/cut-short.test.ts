import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { SHADOW_PREFIX } from "../../../src/tables/local/target-name.js";
import { tempDir } from "../../support/temp-dir.js";
import { type EngineFixture, NEVER, startEngine } from "./engine-fixture.js";

/** More rows than one unit of work copies in batches of one. */
async function start(rows = 100_000): Promise<EngineFixture> {
  const path = join(tempDir(), "source.db");
  const source = new Database(path);
  source.exec(`CREATE TABLE log (line TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) INSERT INTO log SELECT 'line ' || i FROM n`);
  source.close();
  return await startEngine(`sqlite:${path}`);
}

function tables({ rows }: EngineFixture): string[] {
  const names = rows<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
  return names.map(({ name }) => name).filter((name) => !name.startsWith("replication_"));
}

describe("A full copy that is cut short", () => {
  it.each(["paused", "removed"])("leaves nothing behind when its task is %s", async (how) => {
    const fixture = await start();
    const { engine } = fixture;
    const { id } = await engine.addTask({ sourceTable: "log", batchSize: 1 }, NEVER);
    expect(await engine.advance(id, "scheduled", NEVER)).toMatchObject({ more: true });
    expect(tables(fixture)).toEqual([`${SHADOW_PREFIX}log`]);
    if (how === "paused") await engine.updateTask(id, { paused: true });
    else await engine.removeTask(id);
    expect(tables(fixture)).toEqual([]);
  });

  it("by a killed process goes with its task", async () => {
    const fixture = await start(10);
    const { id } = await fixture.add({ sourceTable: "log" });
    fixture.change(`CREATE TABLE "${SHADOW_PREFIX}log" (line TEXT)`);
    await fixture.engine.removeTask(id);
    expect(tables(fixture)).toEqual(["log"]);
  });
});
