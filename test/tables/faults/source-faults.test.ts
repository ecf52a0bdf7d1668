import { beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type TestDatabase, type TestPostgres } from "../../support/postgres.js";
import { inCi } from "../../support/size.js";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.js";
import { waitFor } from "../../support/wait.js";
import { type KeptTables, keepTables } from "./kept-tables.js";
import { createOrders, expectEqual } from "./orders-table.js";

const ROWS = 6_000;
const PASSWORD = "hunter2-unguessable";

let main: TestPostgres;
let other: TestPostgres;
beforeAll(async () => {
  [main, other] = await Promise.all([startPostgres(), startPostgres()]);
  await main.query(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD}'`);
}, 60_000);

interface Fixture extends KeptTables {
  readonly source: TestDatabase;
  readonly line: TcpProxy;
  /** The other server goes on being followed, and its task has seen no error. */
  othersUnharmed(): Promise<void>;
  /** A table of the same server goes on being followed. */
  neighbourUnharmed(): Promise<void>;
  /** Waits until some rows are here and others are not. */
  middleOfCopy(): Promise<void>;
  /** The copy is equal to its source, at last. */
  equal(): Promise<void>;
}

/** Copies `orders` over a line that takes its time, beside `steady` of the same server and `elsewhere` of another. */
async function start(options: { runTimeoutMs?: number } = {}): Promise<Fixture> {
  const [source, away] = await Promise.all([main.createDatabase(), other.createDatabase()]);
  await createOrders(source, ROWS);
  await source.query(
    "CREATE TABLE steady (id bigserial PRIMARY KEY, body text); INSERT INTO steady (body) VALUES ('a')",
  );
  await away.query("CREATE TABLE elsewhere (id bigserial PRIMARY KEY, body text)");
  await source.query("GRANT SELECT ON ALL TABLES IN SCHEMA public TO app");
  const line = await startTcpProxy(main.port);
  line.drip(12_288, 10);
  const kept = await keepTables({
    sources: { main: source.urlFor({ user: "app", password: PASSWORD, port: line.port }), other: away.url },
    tasks: [
      { source: "main", sourceTable: "steady" },
      { source: "main", sourceTable: "orders", batchSize: 200 },
      { source: "other", sourceTable: "elsewhere" },
    ],
    ...options,
  });
  const followed = async (database: TestDatabase, table: string): Promise<void> => {
    await database.query(`INSERT INTO ${table} (body) SELECT 'more' FROM generate_series(1, 10)`);
    const [row] = await database.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`);
    await waitFor(() => kept.count(table) === Number(row?.n), { timeoutMs: 15_000, what: `${table} to be followed` });
  };
  return {
    ...kept,
    source,
    line,
    async othersUnharmed() {
      await followed(away, "elsewhere");
      expect(kept.errors.filter(([name]) => name === "table:elsewhere")).toEqual([]);
    },
    neighbourUnharmed: () => followed(source, "steady"),
    async middleOfCopy() {
      await waitFor(() => kept.count("orders") > 0, { timeoutMs: 15_000, everyMs: 2 });
      expect(kept.count("orders")).toBeLessThan(ROWS);
    },
    async equal() {
      await kept.caughtUp("orders");
      await expectEqual(source, kept.file);
      expect(await kept.tables.verify("orders")).toMatchObject({ equal: true });
      const told = [
        kept.errors.map(([, { message, hint }]) => [message, hint]),
        await kept.tables.runs("orders"),
        await kept.tables.status(),
      ];
      expect(JSON.stringify(told)).not.toContain(PASSWORD);
    },
  };
}

describe("A copy whose source breaks", () => {
  it.each((["immediate", "fast"] as const).slice(0, inCi ? 2 : 1))(
    "goes on when the server is back after a stop: %s",
    async (mode) => {
      const { caughtUp, count, equal, failing, line, middleOfCopy, othersUnharmed, pulled, source } = await start();
      await middleOfCopy();
      await main.stop(mode);
      expect(await failing("orders", "SOURCE_UNREACHABLE")).toMatch(/check that it runs/);
      const before = count("orders");
      expect(before).toBeLessThan(ROWS);
      await othersUnharmed();
      await main.start();
      await line.pass();
      await source.query("UPDATE orders SET note = 'after', updated_at = clock_timestamp() WHERE id < 100");
      await equal();
      await caughtUp("steady");
      expect(pulled("orders"), "what was copied is not copied again").toBeLessThan(1.3 * ROWS);
    },
  );

  it("goes on after a cut in the middle of a batch", async () => {
    const { equal, errors, line, middleOfCopy, othersUnharmed, pulled } = await start();
    await middleOfCopy();
    line.cut("reset");
    await waitFor(() => errors.some(([name, { code }]) => name === "table:orders" && code === "SOURCE_UNREACHABLE"));
    await othersUnharmed();
    await equal();
    expect(pulled("orders")).toBeLessThan(1.3 * ROWS);
  });

  it.runIf(inCi)("comes to its end over a line that breaks again and again", { timeout: 60_000 }, async () => {
    const { count, equal, errors, line, middleOfCopy, pulled } = await start();
    await middleOfCopy();
    line.resetAfter(150_000);
    await waitFor(() => count("orders") === ROWS, { timeoutMs: 45_000 });
    expect(errors.filter(([name]) => name === "table:orders").length).toBeGreaterThan(2);
    await line.pass();
    await equal();
    expect(pulled("orders")).toBeLessThan(1.3 * ROWS);
  });

  it.runIf(inCi)(
    "ends a run by its deadline where the line swallows everything, and goes on when it is whole",
    async () => {
      const { equal, failing, line, middleOfCopy, othersUnharmed, pulled } = await start({ runTimeoutMs: 1_500 });
      await middleOfCopy();
      line.blackHole();
      expect(await failing("orders", "RUN_TIMEOUT")).toMatch(/1500|1\.5/);
      await othersUnharmed();
      await line.pass();
      await equal();
      expect(pulled("orders")).toBeLessThan(1.3 * ROWS);
    },
  );

  it.runIf(inCi)("says so when the password was changed, and goes on when it is right again", async () => {
    const { equal, failing, middleOfCopy, othersUnharmed } = await start();
    await middleOfCopy();
    await main.query("ALTER ROLE app PASSWORD 'another'");
    await main.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
    expect(await failing("orders", "SOURCE_REFUSED")).toMatch(/Check user and password/);
    await othersUnharmed();
    await main.query(`ALTER ROLE app PASSWORD '${PASSWORD}'`);
    await equal();
  });

  it.runIf(inCi)(
    "says which right is missing, leaves the other tables of the server alone, and goes on when it is given",
    async () => {
      const { count, equal, failing, middleOfCopy, neighbourUnharmed, othersUnharmed, source } = await start();
      await middleOfCopy();
      await source.query("REVOKE SELECT ON orders FROM app");
      expect(await failing("orders", "SOURCE_REFUSED")).toMatch(/GRANT SELECT ON/);
      await neighbourUnharmed();
      await othersUnharmed();
      expect(count("orders"), "what was copied stays").toBeGreaterThan(0);
      await source.query("GRANT SELECT ON orders TO app");
      await equal();
    },
  );

  it.runIf(inCi)(
    "says that its table is gone, keeps what it has, and copies the one that is made in its place",
    async () => {
      const { caughtUp, count, equal, failing, line, neighbourUnharmed, othersUnharmed, source } = await start();
      await line.pass();
      await caughtUp("orders");
      await source.query("DROP TABLE orders");
      expect(await failing("orders", "TABLE_MISSING")).toMatch(/no table "orders"/);
      expect(count("orders")).toBe(ROWS);
      await neighbourUnharmed();
      await othersUnharmed();
      await createOrders(source, 777);
      await source.query("GRANT SELECT ON orders TO app");
      await waitFor(() => count("orders") === 777, { timeoutMs: 15_000 });
      await equal();
    },
  );

  it.runIf(inCi)("waits where the server has no connection left, and goes on when it has", async () => {
    const { equal, failing, middleOfCopy, othersUnharmed } = await start();
    await middleOfCopy();
    await main.query("ALTER ROLE app CONNECTION LIMIT 0");
    await main.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
    expect(await failing("orders", "SOURCE_UNREACHABLE")).toMatch(/short of connections|Nothing to do/);
    await othersUnharmed();
    await main.query("ALTER ROLE app CONNECTION LIMIT -1");
    await equal();
  });
});
