// A job, a stream and a download, and stops in the middle of all that; then all again, to its end.
import { join } from "node:path";
import { createExports } from "../../../src/exports/index.js";

const dir = process.argv[2] ?? "";
const exports = createExports({ database: join(dir, "shop.db"), dir: join(dir, "exports"), minFreeBytes: 0 });
await exports.start();
const finished = await exports.finished((await exports.startJob()).id);
const download = (await exports.download(finished.id)).body.getReader();
await download.read();
const stream = (await exports.stream()).body.getReader();
await stream.read();
const { id } = await exports.startJob({ format: "ndjson" });
const waiting = exports.finished(id);
waiting.catch(() => {});
await exports.stop();
const cut = await Promise.allSettled([waiting, drain(stream), drain(download)]);
const codes = cut.map((one) => (one.status === "rejected" ? one.reason.code : one.status));
if (codes.some((code) => code !== "STOPPED")) throw new Error(codes.join());
await exports.start();
const { state } = await exports.finished(id);
if (state !== "completed") throw new Error(state);
// Left alone: nothing that was not stopped may keep the process from ending either.
await exports.stream();
await exports.stop();
console.log("done");

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}
