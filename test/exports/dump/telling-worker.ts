// The thread of a dump, which tells after each piece how many bytes it has made.
import { type MessagePort, parentPort } from "node:worker_threads";
import { DumpPieces } from "../../../src/exports/dump/dump-pieces.js";
import { serveDumps } from "../../../src/exports/dump/serve-dumps.js";

const write = DumpPieces.prototype.write;
let made = 0;
DumpPieces.prototype.write = function (target) {
  const written = write.call(this, target);
  made += written?.length ?? 0;
  (parentPort as MessagePort).postMessage({ kind: "event", value: made });
  return written;
};
serveDumps();
