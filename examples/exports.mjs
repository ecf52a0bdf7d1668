// Exports a SQLite file as a job, with progress, and saves the result.
//
//   npm install starfish-replica better-sqlite3
//   node exports.mjs shop.db                       all of the database, as SQL
//   node exports.mjs shop.db ndjson users orders   two tables
//
// Kill it half way and start it again in the same way: the job goes on where it was. Its books are in shop.db-exports.
import { createWriteStream, existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createExports } from "starfish-replica/exports";

const [database, format = "sql", ...names] = process.argv.slice(2);
const tables = names.length > 0 ? names : null;
if (!database) {
  console.error("Usage: node exports.mjs <database> [sql|csv|json|ndjson] [table ...]");
  process.exit(2);
}

try {
  await run();
} catch (error) {
  if (error.code === "STOPPED") {
    console.log("stopped; the same command goes on from here");
  } else {
    console.error(`${error.code ?? error.name}: ${error.message}${error.hint ? `\n${error.hint}` : ""}`);
    process.exitCode = 1;
  }
}

async function run() {
  const exporter = createExports({ database, dir: `${database}-exports`, onProgress: show });
  // What is awaited then rejects with STOPPED.
  process.once("SIGINT", () => exporter.stop());
  try {
    await exporter.start();
    const { id } = (await leftOver(exporter)) ?? (await exporter.startJob({ format, tables }));
    const job = await exporter.finished(id);
    if (job.error) throw job.error;
    const fileName = await save(exporter, id);
    await exporter.removeJob(id);
    console.log(`${fileName}: ${job.artifact.bytes} bytes, SHA-256 ${job.artifact.sha256}`);
  } finally {
    await exporter.stop();
  }
}

/** What an earlier run of this command did not get to the end of: its job, or the saving of it. */
async function leftOver(exporter) {
  const isOurs = (job) => job.format === format && JSON.stringify(job.tables) === JSON.stringify(tables);
  const job = (await exporter.jobs()).find((job) => job.state !== "failed" && isOurs(job));
  if (job) console.log(`going on with ${job.id}, at ${job.progress.rowsDone} rows`);
  return job;
}

async function save(exporter, id) {
  const { fileName, body } = await exporter.download(id);
  const half = `${fileName}.part`;
  await pipeline(Readable.fromWeb(body), createWriteStream(half));
  if (existsSync(fileName)) throw new Error(`${fileName} is there already: move it away, and start this again`);
  await rename(half, fileName);
  return fileName;
}

function show({ state, progress: { tablesDone, tablesTotal, rowsDone, bytesWritten } }) {
  if (state !== "running" || rowsDone === 0) return;
  console.log(`${rowsDone} rows, ${bytesWritten} bytes, ${tablesDone} of ${tablesTotal} tables done`);
}
