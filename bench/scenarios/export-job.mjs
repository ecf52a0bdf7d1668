import { fork } from "node:child_process";
import { once } from "node:events";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { epochMs } from "../support/epoch-ms.mjs";
import { exportSource } from "../support/export-source.mjs";
import { shellToFile } from "../support/shell-export.mjs";
import { verifyExport } from "../support/verify-export.mjs";

export const scenario = {
  title: "Exports: a job of 300 MB, and the way back from `kill -9`",
  how: "the same database as a job, from the start of its process until the job has completed: snapshot, parts with SHA-256 made durable, and the file in its place; the shell's is `sqlite3 source.db .dump > file`, which does none of that. Then the same again, killed with SIGKILL at half its bytes: from the start of the next process until `start()` has resolved and the job goes on, and until its first new part is recorded",
  programs: ["sqlite3"],
  versus: { shell: "`sqlite3 .dump`" },
  ratioLabel: "against the shell",
  warmUp: false,
  roundTimeoutMs: 180_000,
  rounds: 3,
  measures: [
    { key: "seconds", label: "all of it", unit: "s", better: "less" },
    { key: "rssMB", label: "peak RSS", unit: "MB", better: "less" },
    { key: "runningMs", label: "after `kill -9`, until the job goes on", unit: "ms", better: "less" },
    { key: "partMs", label: "after `kill -9`, until a new part is recorded", unit: "ms", better: "less" },
  ],
  async run({ contender, file, quick }) {
    const database = exportSource(file, quick);
    if (contender === "shell") {
      const { ms, rssMB } = await shellToFile({ args: [database, ".dump"], target: `${file}.sql` });
      return { seconds: ms / 1000, rssMB };
    }
    const dir = `${file}-exports`;
    const whole = await runJob({ database, dir });
    verifyExport(join(dir, "files", `${whole.job.id}.sql`), database, "items", "'SKU-");
    rmSync(dir, { recursive: true });

    const half = whole.job.artifact.bytes / 2;
    await runJob({ database, dir }, ({ progress }) => progress.bytesWritten >= half);
    const resumed = await runJob({ database, dir });
    const same = resumed.job.artifact.sha256 === whole.job.artifact.sha256;
    if (!same || statSync(join(dir, "files", `${resumed.job.id}.sql`)).size !== resumed.job.artifact.bytes)
      throw new Error("the file is not the one that it would have been");
    const { runningMs, partMs } = resumed;
    return { seconds: whole.ms / 1000, rssMB: whole.rssMB, runningMs, partMs };
  },
};

/** A process that runs the job to its end, or until it is killed. Times are from its start. */
async function runJob(job, isTimeToKill = () => false) {
  const started = epochMs();
  const child = fork(new URL("../support/export-job-process.mjs", import.meta.url), [JSON.stringify(job)], {
    execArgv: [],
  });
  const exited = once(child, "exit");
  const result = {};
  let before;
  child.on("message", ({ at, event, job: now, rssMB }) => {
    if (event === "done") Object.assign(result, { job: now, rssMB, ms: at - started });
    if (event === "open") {
      before = now?.progress.bytesWritten ?? 0;
      result.runningMs = at - started;
      return;
    }
    const { bytesWritten } = now.progress;
    if (before !== undefined && bytesWritten > before) result.partMs ??= at - started;
    if (isTimeToKill(now)) child.kill("SIGKILL");
  });
  const [code, signal] = await exited;
  if (code !== 0 && signal !== "SIGKILL") throw new Error(`the process of the job ended with ${code ?? signal}`);
  if (code === 0 && result.job?.state !== "completed") throw new Error(`the job is ${JSON.stringify(result.job)}`);
  return result;
}
