// A program that takes a snapshot and dumps it to nowhere, and says how much it was and what memory it took at most, in bytes.
import { openDump } from "../../../src/exports/dump/open-dump.js";
import { takeSnapshot } from "../../../src/exports/dump/take-snapshot.js";
import type { DumpFormat } from "../../../src/exports/formats/dump-format.js";
import { DUMP_START } from "../../../src/exports/formats/dump-position.js";

const [database = "", format = ""] = process.argv.slice(2);
const file = `${database}.copy`;
await takeSnapshot({ database, target: file });
const request = { format: format as DumpFormat["name"], selection: { table: "filler" } };
const dump = await openDump({ file, kind: "snapshot", request });
let bytes = 0;
for await (const piece of dump.read(DUMP_START)) bytes += piece.bytes.length;
await dump.close();
console.log(`done ${JSON.stringify({ bytes, memory: process.resourceUsage().maxRSS * 1024 })}`);
