// A program that takes a snapshot, or dumps a file to nowhere, and says how much it was and what memory it took at most, in bytes.
import { openDump } from "../../../src/exports/dump/open-dump.js";
import { takeSnapshot } from "../../../src/exports/dump/take-snapshot.js";
import type { DumpFormat } from "../../../src/exports/formats/dump-format.js";
import { DUMP_START } from "../../../src/exports/formats/dump-position.js";

const [file = "", what = ""] = process.argv.slice(2);
let bytes = 0;
if (what === "snapshot") {
  ({ bytes } = await takeSnapshot({ database: file, target: `${file}.copy` }));
} else {
  const request = { format: what as DumpFormat["name"], selection: { table: "filler" } };
  const dump = await openDump({ file, kind: "snapshot", request });
  for await (const piece of dump.read(DUMP_START)) bytes += piece.bytes.length;
  await dump.close();
}
console.log(`done ${JSON.stringify({ bytes, memory: process.resourceUsage().maxRSS * 1024 })}`);
