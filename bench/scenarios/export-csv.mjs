import { exportSource } from "../support/export-source.mjs";
import { streamToFile } from "../support/export-to-file.mjs";
import { shellToFile } from "../support/shell-export.mjs";
import { verifyExport } from "../support/verify-export.mjs";

export const scenario = {
  title: "Exports: CSV of 1,250,000 rows",
  how: "the table `items` of that database: 9 columns of short texts and numbers. Ours as above; the shell's is `sqlite3 -csv -header source.db 'SELECT * FROM items' > file`, which has neither NULL nor the last digits of reals",
  programs: ["sqlite3"],
  versus: { shell: "`sqlite3 -csv`" },
  ratioLabel: "against the shell",
  rounds: 4,
  measures: [
    { key: "seconds", label: "all of it", unit: "s", better: "less", target: { ratio: 1 } },
    { key: "rows", label: "rows a second", better: "more" },
    { key: "rssMB", label: "peak RSS", unit: "MB", better: "less", target: { max: 150 } },
  ],
  async run({ contender, file, quick }) {
    const database = exportSource(file, quick);
    const target = `${file}.csv`;
    const { ms, rssMB } = await EXPORTS[contender]({ database, dir: `${file}-exports`, target });
    const rows = verifyExport(target, database, "items", "SKU-");
    return { seconds: ms / 1000, rows: (rows * 1000) / ms, rssMB };
  },
};

const EXPORTS = {
  ours: (job) => streamToFile({ ...job, selection: { format: "csv", table: "items" } }),
  shell: ({ database, target }) => shellToFile({ args: ["-csv", "-header", database, "SELECT * FROM items"], target }),
};
