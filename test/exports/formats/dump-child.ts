import { createHash } from "node:crypto";
import Database from "better-sqlite3";
import { DUMP_FORMATS } from "../../../src/exports/formats/dump-formats.js";
import { DUMP_START, type DumpPosition } from "../../../src/exports/formats/dump-position.js";
import type { DumpFormatName, DumpSelection } from "../../../src/exports/formats/dump-selection.js";

/** Writes a dump to nowhere and says how much it was and what memory it took at most, in bytes. */
const [file = "", format = "", selection = ""] = process.argv.slice(2);
const database = new Database(file, { readonly: true });
const dump = DUMP_FORMATS[format as DumpFormatName].open(database, JSON.parse(selection) as DumpSelection);
const hash = createHash("sha256");
let bytes = 0;
for (let position: DumpPosition | null = DUMP_START; position !== null; ) {
  const part = dump.part(position);
  let step = part.next();
  for (; step.done !== true; step = part.next()) {
    bytes += step.value.length;
    hash.update(step.value);
  }
  position = step.value.next;
}
const memory = process.resourceUsage().maxRSS * 1024;
console.log(`done ${JSON.stringify({ bytes, memory, sha256: hash.digest("hex") })}`);
