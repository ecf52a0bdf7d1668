// A program that takes a snapshot and a live dump, and asks whether a job may be begun, as a user who may write to the folders of its targets alone, and says what came of it.

import { ReplicaError } from "../../../src/errors.js";
import { openLiveDump } from "../../../src/exports/dump/open-live-dump.js";
import { takeSnapshot } from "../../../src/exports/dump/take-snapshot.js";
import { DUMP_START } from "../../../src/exports/formats/dump-position.js";
import { checkSelection } from "../../../src/exports/jobs/check-selection.js";

const [database = "", target = "", scratch = ""] = process.argv.slice(2);
// Root may write everywhere.
if (scratch !== "" && process.getuid?.() === 0) {
  process.setgid?.(65534);
  process.setuid?.(65534);
}
const failed = (error: unknown) =>
  error instanceof ReplicaError ? { code: error.code, message: error.message, hint: error.hint } : String(error);
const snapshot = await takeSnapshot({ database, target }).catch(failed);
let dumped: unknown = 0;
if (scratch !== "") {
  try {
    const dump = await openLiveDump({ database, scratch, request: { format: "csv", selection: { table: "pair" } } });
    let bytes = 0;
    for await (const piece of dump.read(DUMP_START)) bytes += piece.bytes.length;
    await dump.close();
    dumped = bytes;
  } catch (error) {
    dumped = failed(error);
  }
}
const checking = checkSelection(database, "csv", { table: "pair" }, new AbortController().signal);
const checked = await checking.then(() => "may be exported", failed);
console.log(`done ${JSON.stringify({ snapshot, dumped, checked })}`);
