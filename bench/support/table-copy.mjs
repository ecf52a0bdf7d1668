import { TABLES } from "./contender.mjs";

/** Longer than any round lasts. */
const INTERVAL_SECONDS = 86_400;

/**
 * Copies a table for the first time through the public API.
 * @returns the `tables`, running, and the `ms` from importing the package until all rows are there
 */
export async function copyTable({ url, file, table }) {
  const begunAt = Date.now();
  const tables = await openTables({ url, file, table });
  await tables.start();
  // Resolves after a second, short run: one that began before does not count for it.
  await tables.runTask(table);
  const first = (await tables.runs(table)).at(-1);
  if (first.error) throw new Error(`the first copy failed: ${first.error.message}`);
  return { tables, ms: Date.parse(first.finishedAt) - begunAt };
}

/** A table's copy, to be started. */
export async function openTables({ url, file, table }) {
  const { createTableReplication } = await import(TABLES);
  return createTableReplication({
    database: file,
    source: url,
    tables: [table],
    syncIntervalSeconds: INTERVAL_SECONDS,
  });
}
