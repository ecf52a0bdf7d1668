import { loopCopy } from "../support/loop-copy.mjs";
import { peakRssMB } from "../support/peak-rss.mjs";
import { pipeCopy } from "../support/pipe-copy.mjs";
import { copyTable } from "../support/table-copy.mjs";
import { verifyCopy } from "../support/verify-copy.mjs";

export const scenario = {
  title: "Tables: first copy of 1,000,000 rows, PostgreSQL to SQLite",
  how: "8 columns (bigint key, text, varchar, numeric, boolean, double, two timestamptz), about 130 bytes a row, every fifth row changed after it was made. Ours is `createTableReplication` with nothing but the table's name, from importing it until the run has ended. The pipe is `psql '\\copy (select * from items) to stdout csv' | sqlite3 '.import --csv /dev/stdin items'` into a table that is there; the loop is 500 rows by `id` with `pg`, each 500 inserted in a transaction with better-sqlite3. Memory of the pipe is that of psql and sqlite3 together",
  postgres: { items: 1_000_000 },
  programs: ["psql", "sqlite3"],
  versus: { pipe: "`psql \\| sqlite3`", loop: "plain loop" },
  ratioLabel: "against the pipe",
  warmUp: false,
  rounds: 4,
  measures: [
    { key: "rows", label: "rows a second", better: "more", target: { ratio: 0.5 } },
    { key: "seconds", label: "all rows", unit: "s", better: "less" },
    { key: "rssMB", label: "peak RSS", unit: "MB", better: "less", target: { max: 200 } },
  ],
  async run({ contender, postgres: { url, tables }, file }) {
    const rows = tables.items;
    const { ms, rssMB = peakRssMB() } = await COPIES[contender]({ url, file, table: "items", rows });
    verifyCopy(file, "items", rows);
    return { rows: (rows * 1000) / ms, seconds: ms / 1000, rssMB };
  },
};

const COPIES = {
  async ours(job) {
    const { tables, ms } = await copyTable(job);
    await tables.stop();
    return { ms };
  },
  pipe: pipeCopy,
  loop: loopCopy,
};
