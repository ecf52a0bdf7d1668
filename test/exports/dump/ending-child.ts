// A program that does something with dumps and then has nothing more to do.
import { rmSync } from "node:fs";
import { openDump } from "../../../src/exports/dump/open-dump.js";
import { takeSnapshot } from "../../../src/exports/dump/take-snapshot.js";
import { DUMP_START } from "../../../src/exports/formats/dump-position.js";

const [file = "", how = ""] = process.argv.slice(2);
const abort = new AbortController();
const target = `${file}.copy`;

if (how === "snapshot") {
  await takeSnapshot({ database: file, target });
  rmSync(target);
} else if (how === "stopped") {
  const taking = takeSnapshot({ database: file, target }, abort.signal);
  abort.abort(new Error("enough"));
  await taking.catch(() => {});
} else {
  const request = { format: "sql", selection: { tables: "all" } } as const;
  const dump = await openDump({ file, kind: "snapshot", request });
  try {
    for await (const _ of dump.read(DUMP_START, abort.signal)) {
      if (how === "left") break;
      if (how === "aborted") abort.abort(new Error("enough"));
    }
  } catch (error) {
    if (how !== "aborted") throw error;
  }
  // Nobody reads it any more: it does not keep the process.
  if (how !== "unread") await dump.close();
}
console.log("done");
