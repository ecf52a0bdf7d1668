import { fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";

export const scenario = {
  title: "Tables: memory while copying",
  how: "the first copy, as above, of tables with 1 and 5 million rows, each in a fresh process: the most memory that the whole process (both threads) ever had resident",
  postgres: { items: 1_000_000, items_5: 5_000_000 },
  versus: {},
  warmUp: false,
  roundTimeoutMs: 300_000,
  rounds: 2,
  quickRounds: 1,
  measures: [
    { key: "one", label: "peak RSS, 1 million rows", unit: "MB", better: "less", target: { max: 200 } },
    { key: "five", label: "peak RSS, 5 million rows", unit: "MB", better: "less", target: { max: 200 } },
    { key: "growth", label: "more with 5 million", unit: "%", better: "less" },
    { key: "fiveRows", label: "rows a second, 5 million rows", better: "more" },
  ],
  async run({ postgres: { url, tables: sizes }, file }) {
    const copy = async (table) => {
      const job = JSON.stringify({ url, file, table, rows: sizes[table] });
      const child = fork(new URL("../support/copy-process.mjs", import.meta.url), [job], { execArgv: [] });
      const [{ failure, ...result }] = await once(child, "message");
      if (failure) throw new Error(failure);
      for (const suffix of ["", "-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
      return result;
    };
    const one = await copy("items");
    const five = await copy("items_5");
    return {
      one: one.rssMB,
      five: five.rssMB,
      growth: 100 * (five.rssMB / one.rssMB - 1),
      fiveRows: (sizes.items_5 * 1000) / five.ms,
    };
  },
};
