import { fork } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { EXPORTS } from "../support/contender.mjs";
import { exportSource } from "../support/export-source.mjs";
import { quantile } from "../support/statistics.mjs";

export const scenario = {
  title: "Exports: how long writers of the database wait",
  how: "another process commits a small transaction every 5 ms (WAL, `synchronous = FULL`) to the same database while a job copies and exports it, and while a stream reads it; alone, for as long as the job took. What one commit took, in milliseconds; two processes, two threads of ours and one disk on two cores",
  versus: { alone: "the writer alone" },
  ratioLabel: "against alone",
  warmUp: false,
  roundTimeoutMs: 180_000,
  rounds: 5,
  measures: [
    { key: "jobP50", label: "median, during a job", unit: "ms", better: "less" },
    { key: "jobP99", label: "p99, during a job", unit: "ms", better: "less" },
    { key: "jobMax", label: "longest, during a job", unit: "ms", better: "less", target: { max: 250 } },
    { key: "streamP99", label: "p99, during a stream", unit: "ms", better: "less" },
    { key: "streamMax", label: "longest, during a stream", unit: "ms", better: "less", target: { max: 250 } },
  ],
  async run({ contender, file, quick }) {
    const database = exportSource(file, quick);
    const writer = fork(new URL("../support/writer-process.mjs", import.meta.url), [database], { execArgv: [] });
    await once(writer, "message");
    const during = async (work) => {
      await waitsOf(writer);
      await work();
      const waits = await waitsOf(writer);
      return { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: Math.max(...waits) };
    };
    const { exportJob, exportStream } = contender === "ours" ? await ours(database, file) : alone(quick);
    const job = await during(exportJob);
    const stream = await during(exportStream);
    writer.send("end");
    await once(writer, "exit");
    return { jobP50: job.p50, jobP99: job.p99, jobMax: job.max, streamP99: stream.p99, streamMax: stream.max };
  },
};

async function ours(database, file) {
  const { createExports } = await import(EXPORTS);
  const exports = createExports({ database, dir: `${file}-exports` });
  return {
    async exportJob() {
      await exports.start();
      const { id } = await exports.startJob();
      await exports.finished(id);
      await exports.removeJob(id);
    },
    async exportStream() {
      const { body } = await exports.stream({ format: "sql" });
      await pipeline(Readable.fromWeb(body), createWriteStream(`${file}.sql`));
      await exports.stop();
    },
  };
}

function alone(quick) {
  const rest = () => sleep(quick ? 1_000 : 6_000);
  return { exportJob: rest, exportStream: rest };
}

async function waitsOf(writer) {
  writer.send("take");
  const [waits] = await once(writer, "message");
  return waits;
}
