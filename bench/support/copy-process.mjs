/** Copies a table for the first time in a process of its own, and sends its parent `{ ms, rssMB }` or `{ failure }`. */
import { peakRssMB } from "./peak-rss.mjs";
import { copyTable } from "./table-copy.mjs";
import { verifyCopy } from "./verify-copy.mjs";

async function run() {
  const job = JSON.parse(process.argv[2]);
  const { tables, ms } = await copyTable(job);
  await tables.stop();
  const rssMB = peakRssMB();
  verifyCopy(job.file, job.table, job.rows);
  return { ms, rssMB };
}

process.once("disconnect", () => process.exit());
const message = await run().catch((error) => ({ failure: error.stack ?? String(error) }));
process.send(message, () => process.exit());
