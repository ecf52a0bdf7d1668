import { describe, expect, it } from "vitest";
import { startPostgres } from "../../../support/postgres.js";

describe("startPostgres", () => {
  it("gives a server that asks for passwords, keeps its data over a restart and hands out empty databases", async () => {
    const server = await startPostgres({ settings: { max_prepared_transactions: 3 } });
    expect(await server.query("SHOW max_prepared_transactions")).toEqual([{ max_prepared_transactions: "3" }]);
    const database = await server.createDatabase();
    await database.query("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    const { port } = server;
    await server.restart("immediate");
    expect(server.port).toBe(port);
    expect(await database.query("SELECT a FROM t WHERE a = $1", [1])).toEqual([{ a: 1 }]);
    const client = await database.connect();
    expect((await client.query("SELECT current_database() AS name")).rows).toEqual([{ name: database.name }]);
    await client.end();
  });
});
