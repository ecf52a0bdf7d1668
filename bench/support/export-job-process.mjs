/**
 * Runs an export job of a database in a folder, or goes on with the one that is there, and tells its parent what happens: `{ at, event }`, where `at` is
 * the system's clock in milliseconds: `open` with the job that was there, `job` with each change of one, `done` with the peak RSS.
 */
import { EXPORTS } from "./contender.mjs";
import { epochMs } from "./epoch-ms.mjs";
import { peakRssMB } from "./peak-rss.mjs";

const { database, dir } = JSON.parse(process.argv[2]);
const tell = (event) => process.send({ at: epochMs(), ...event });
const { createExports } = await import(EXPORTS);
const exports = createExports({ database, dir, onProgress: (job) => tell({ event: "job", job }) });
await exports.start();
const [unfinished] = await exports.jobs();
tell({ event: "open", job: unfinished });
const { id } = unfinished ?? (await exports.startJob());
const job = await exports.finished(id);
tell({ event: "done", job, rssMB: peakRssMB() });
await exports.stop();
process.disconnect();
