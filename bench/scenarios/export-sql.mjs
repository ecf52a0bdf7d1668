import { statSync } from "node:fs";
import { exportSource } from "../support/export-source.mjs";
import { streamToFile } from "../support/export-to-file.mjs";
import { shellToFile } from "../support/shell-export.mjs";
import { verifyExport } from "../support/verify-export.mjs";

export const scenario = {
  title: "Exports: SQL dump of 300 MB",
  how: 'four tables: 1.25 million rows of short texts and numbers, longer texts, BLOBs, rows of numbers; in WAL mode, warm in memory. Ours is `createExports(...).stream({ format: "sql" })` into a file, from importing it until the file is whole; the shell\'s is `sqlite3 source.db .dump > file`, from its start to its end',
  programs: ["sqlite3"],
  versus: { shell: "`sqlite3 .dump`" },
  ratioLabel: "against the shell",
  rounds: 4,
  measures: [
    { key: "seconds", label: "all of it", unit: "s", better: "less", target: { ratio: 1 } },
    { key: "megabytes", label: "MB of the database a second", better: "more" },
    { key: "rssMB", label: "peak RSS", unit: "MB", better: "less", target: { max: 150 } },
  ],
  async run({ contender, file, quick }) {
    const database = exportSource(file, quick);
    const target = `${file}.sql`;
    const { ms, rssMB } = await DUMPS[contender]({ database, dir: `${file}-exports`, target });
    // In every row of this table and of no other.
    verifyExport(target, database, "items", "'SKU-");
    return { seconds: ms / 1000, megabytes: statSync(database).size / 1000 / ms, rssMB };
  },
};

const DUMPS = {
  ours: (job) => streamToFile({ ...job, selection: { format: "sql" } }),
  shell: ({ database, target }) => shellToFile({ args: [database, ".dump"], target }),
};
