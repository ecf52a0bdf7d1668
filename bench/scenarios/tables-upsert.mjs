import { onPostgres } from "../support/start-postgres.mjs";
import { copyTable } from "../support/table-copy.mjs";

export const scenario = {
  title: "Tables: 100,000 of 1,000,000 rows changed",
  how: "every tenth row is updated at the source in one transaction, then one run of the task, in mode `upsert`",
  postgres: { items: 1_000_000 },
  versus: {},
  warmUp: false,
  rounds: 3,
  measures: [
    { key: "rows", label: "changed rows a second", better: "more" },
    { key: "ms", label: "the run", unit: "ms", better: "less" },
    { key: "idleMs", label: "a run with nothing changed", unit: "ms", better: "less" },
  ],
  async run({ postgres: { url }, file }) {
    const { tables } = await copyTable({ url, file, table: "items" });
    let start = performance.now();
    await tables.runTask("items");
    const idleMs = performance.now() - start;
    const changed = await onPostgres(url, async (client) => {
      const { rowCount } = await client.query(
        "UPDATE items SET title = 'Changed ' || title, updated_at = now() WHERE id % 10 = 0",
      );
      return rowCount;
    });
    start = performance.now();
    const run = await tables.runTask("items");
    const ms = performance.now() - start;
    if (run.rowsPulled < changed) throw new Error(`only ${run.rowsPulled} of ${changed} changed rows came`);
    const sql = "SELECT count(*) AS n FROM items WHERE title LIKE 'Changed %'";
    const [row] = (await tables.query(sql)).rows;
    await tables.stop();
    // The next round begins as this one did.
    await onPostgres(url, async (client) => {
      await client.query("UPDATE items SET title = substr(title, 9), updated_at = created_at WHERE id % 10 = 0");
      await client.query("VACUUM (ANALYZE) items");
    });
    if (Number(Object.values(row)[0]) !== changed) throw new Error("the changes are not in the copy");
    return { rows: (changed * 1000) / ms, ms, idleMs };
  },
};
