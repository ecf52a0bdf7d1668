import { loadDriver } from "../../drivers/load-driver.js";
import { ReplicaError } from "../../errors.js";
import { eventually } from "../demo/eventually.js";
import type { Fact, RoundPart, Verify } from "../demo/fact.js";
import { verifyParts } from "../demo/verify-parts.js";
import { TABLES } from "./table-rows.js";
import type { World } from "./world.js";

const ROUND: readonly RoundPart<World>[] = [
  ["orders, upsert with reconcile", verifyUpsert],
  ["visits, append", verifyAppend],
  ["prices, full", verifyFull],
  ["PostgreSQL stopped and started", verifyOutage],
  ["local reads", verifyReads],
  ["a damaged copy", verifyRepair],
  ["all of it", verifyAll],
];

/** Tries out the three modes, an outage and a repair, one after the other, and tells each fact. */
export async function verifyTables(world: World, tell: (fact: Fact) => void): Promise<void> {
  await verifyParts(ROUND, world, tell);
}

async function verifyUpsert({ tables, bakery }: World, verify: Verify): Promise<void> {
  const begun = performance.now();
  await tables.runTask("orders");
  const { cursorColumn, mode } = await tables.task("orders");
  verify("follows updated_at, which it has found by itself", [mode, cursorColumn], ["upsert", "updated_at"]);
  const { rows } = await tables.query("SELECT count(*), round(sum(total), 2) FROM orders");
  const [there] = await bakery.query<{ n: number; total: number }>(
    "SELECT count(*)::int AS n, sum(total)::float8 AS total FROM orders",
  );
  const ms = Math.round(performance.now() - begun);
  verify(`${there?.n} orders were here ${ms} ms later, with the same total`, rows, [[there?.n, there?.total]]);

  await bakery.query("INSERT INTO orders (customer, total) VALUES ('new', 12.5)");
  await bakery.query("UPDATE orders SET state = 'paid' WHERE id = 7");
  await bakery.query("DELETE FROM orders WHERE id = 8");
  const run = await tables.runTask("orders");
  const changed = await tables.query(
    "SELECT customer, total, state FROM orders WHERE customer = 'new' OR id IN (7, 8) ORDER BY id",
  );
  verify("an insert, an update and a delete are here after one run", changed.rows, [
    ["customer 7", 0.07, "paid"],
    ["new", 12.5, "open"],
  ]);
  verify("the delete was found by comparing digests", run.rowsDeleted, 1);

  await bakery.query("ALTER TABLE orders ADD COLUMN note text");
  await bakery.query("UPDATE orders SET note = 'with candles' WHERE id = 9");
  await tables.runTask("orders");
  const noted = await tables.query("SELECT note FROM orders WHERE id = ?", [9]);
  verify("a column that was added while it ran is here, with its values", noted.rows, [["with candles"]]);
}

async function verifyAppend({ tables, bakery }: World, verify: Verify): Promise<void> {
  const { cursorColumn, mode } = await tables.task("visits");
  verify("follows its increasing id, which it has found by itself", [mode, cursorColumn], ["append", "id"]);
  const late = await bakery.lateVisit();
  const [after] = await bakery.query<{ id: string }>("INSERT INTO visits (page) VALUES ('/after') RETURNING id");
  const ids = [late.id, Number(after?.id)];
  const here = async (): Promise<unknown> =>
    (await tables.query("SELECT id FROM visits WHERE id IN (?, ?) ORDER BY id", ids)).rows.flat();
  await tables.runTask("visits");
  verify(`visit ${ids[1]} is here while the transaction of visit ${ids[0]} is open`, await here(), [ids[1]]);
  await late.commit();
  await tables.runTask("visits");
  verify(`visit ${ids[0]}, committed late, is not lost`, await here(), ids);
}

async function verifyFull({ tables, bakery }: World, verify: Verify): Promise<void> {
  verify("has no key and nothing that grows: it is copied as a whole", (await tables.task("prices")).mode, "full");
  await bakery.query("DELETE FROM prices WHERE bread = 'roll'; UPDATE prices SET price = price + 1");
  let replaced = false;
  const counts = new Set<unknown>();
  const reading = (async () => {
    while (!replaced) counts.add((await tables.query("SELECT count(*) FROM prices")).rows[0]?.[0]);
  })();
  await tables.runTask("prices").finally(() => {
    replaced = true;
  });
  await reading;
  const here = await tables.query("SELECT bread, price FROM prices ORDER BY bread");
  const there = await bakery.query<{ bread: string; price: number }>(
    'SELECT bread, price::float8 AS price FROM prices ORDER BY bread COLLATE "C"',
  );
  verify(
    "is the source's after one run, deletes included",
    here.rows,
    there.map(({ bread, price }) => [bread, price]),
  );
  counts.add(3);
  verify(
    "a reader saw the old rows or the new ones, never none",
    [...counts].filter((count) => count !== 4),
    [3],
  );
}

async function verifyOutage({ tables, bakery, postgres }: World, verify: Verify): Promise<void> {
  await postgres.stop();
  try {
    const failing = await eventually(
      async () =>
        (await tables.status()).map(({ state, lastError }) => (state === "failing" ? lastError?.code : state)),
      (codes) => codes.every((code) => code === "SOURCE_UNREACHABLE"),
    );
    verify(
      "stopped: every task says that its source is unreachable",
      failing.seen,
      TABLES.map(() => "SOURCE_UNREACHABLE"),
    );
    const { rows } = await tables.query("SELECT count(*) > 0 FROM orders");
    verify("stopped: reads are answered from the copy", rows, [[1]]);
  } finally {
    await postgres.start();
  }
  await bakery.query("INSERT INTO orders (customer, total) VALUES ('after the outage', 1)");
  const { seen, ms } = await eventually(
    async () => (await tables.query("SELECT count(*) FROM orders WHERE customer = 'after the outage'")).rows,
    (rows) => rows[0]?.[0] === 1,
  );
  verify(`started again: what was written then is here by itself ${ms} ms later`, seen, [[1]]);
}

async function verifyReads({ tables }: World, verify: Verify): Promise<void> {
  const refused = await tables.query("DELETE FROM orders").catch((error: unknown) => error);
  verify("a query that writes is refused", refused instanceof ReplicaError && refused.code, "QUERY_REFUSED");
  const exact = await tables.query("SELECT 9007199254740993 AS big");
  verify("64-bit integers are exact", exact.rows.map(String), ["9007199254740993"]);
}

async function verifyRepair({ tables, database }: World, verify: Verify): Promise<void> {
  await tables.runTask("visits");
  const Database = await loadDriver("better-sqlite3");
  const copy = new Database(database);
  try {
    copy.exec(`BEGIN IMMEDIATE; DELETE FROM visits WHERE id = 10; UPDATE visits SET page = page || '?' WHERE id = 11;
      INSERT INTO visits (id, page) VALUES (-1, '/nobody'); COMMIT`);
  } finally {
    copy.close();
  }
  const planted = { missing: 1, extra: 1, different: 1 };
  const found = await tables.verify("visits");
  verify("verify finds the row that is missing, the one too many and the one that differs", found, {
    equal: false,
    ...planted,
    repaired: 0,
  });
  const mended = await tables.verify("visits", { repair: true });
  verify("and mends all three when it is asked to", mended, { equal: false, ...planted, repaired: 3 });
}

async function verifyAll({ tables }: World, verify: Verify): Promise<void> {
  for (const table of TABLES) {
    const { equal } = await tables.verify(table);
    verify(`${table} equals its source, row by row`, equal, true);
  }
}
