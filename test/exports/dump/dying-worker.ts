// The thread of a dump, which dies in the middle of it.
import { DumpPieces } from "../../../src/exports/dump/dump-pieces.js";
import { serveDumps } from "../../../src/exports/dump/serve-dumps.js";

const write = DumpPieces.prototype.write;
let pieces = 0;
DumpPieces.prototype.write = function (target) {
  pieces += 1;
  if (pieces === 8) process.exit(3);
  return write.call(this, target);
};
serveDumps();
