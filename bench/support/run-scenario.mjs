import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "./start-postgres.mjs";
import { startPrimary } from "./start-primary.mjs";

/**
 * Runs the rounds of a scenario: each contender in a fresh process, in turns, who begins changes every round, all against one primary in
 * its own process (`primary`) or one PostgreSQL (`postgres`: rows by table; a tenth of them with `quick`). One uncounted round of each
 * comes first and warms it up, unless `warmUp` is false. `versus` names the others who take part, by what they are called in the report.
 * @returns the `values` of each measure, `{ ours: { key: [numbers] }, theirs: ... }`; a round that has none for a measure adds none. And
 * what it ran on beside node, in `parts`
 */
export async function runScenario(name, scenario, { quick, profileDir, onRound }) {
  const { versus = { theirs: "" }, warmUp = true, quickRounds = 2, roundTimeoutMs = 120_000 } = scenario;
  const contenders = scenario.contenders ?? ["ours", ...Object.keys(versus)];
  const values = Object.fromEntries(["ours", ...Object.keys(versus)].map((contender) => [contender, {}]));
  const folder = mkdtempSync(join(tmpdir(), "starfish-replica-bench-"));
  let primary;
  let postgres;
  try {
    primary = scenario.primary && (await startPrimary(scenario.primary));
    if (scenario.postgres) {
      onRound("PostgreSQL");
      const sizes = Object.entries(scenario.postgres).map(([table, rows]) => [table, quick ? rows / 10 : rows]);
      postgres = { ...(await startPostgres(Object.fromEntries(sizes))), tables: Object.fromEntries(sizes) };
    }
    const rounds = quick ? quickRounds : scenario.rounds;
    for (let round = quick || !warmUp ? 1 : 0; round <= rounds; round += 1) {
      // In a circle, so that with three of them each is first in turn.
      const first = round % contenders.length;
      for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
        onRound(`${round}/${rounds} ${contender}`);
        const files = mkdtempSync(join(folder, "round-"));
        const given = { ports: primary?.ports, postgres: postgres && { url: postgres.url, tables: postgres.tables } };
        const job = { scenario: name, contender, ...given, file: join(files, "copy.db"), quick };
        const profile = profileDir ? ["--cpu-prof", `--cpu-prof-dir=${profileDir}/${name}-${contender}`] : [];
        const result = await runRound(job, [...(scenario.nodeArgs ?? []), ...profile], roundTimeoutMs);
        rmSync(files, { recursive: true });
        if (round === 0) continue;
        for (const { key } of scenario.measures) {
          if (result[key] === undefined) continue;
          values[contender][key] ??= [];
          values[contender][key].push(result[key]);
        }
      }
    }
    return { values, parts: postgres ? [`PostgreSQL ${postgres.version}`] : [] };
  } finally {
    await Promise.all([primary?.stop(), postgres?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runRound(job, execArgv, timeoutMs) {
  const child = fork(new URL("../round.mjs", import.meta.url), [JSON.stringify(job)], { execArgv });
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const exited = once(child, "exit");
  try {
    const [{ result, failure }] = await Promise.race([once(child, "message"), failedExit(child)]);
    if (failure) throw new Error(`${job.scenario}, ${job.contender}: ${failure}`);
    await exited;
    return result;
  } finally {
    clearTimeout(timer);
  }
}

async function failedExit(child) {
  const [code, signal] = await once(child, "exit");
  throw new Error(`A benchmark process ended (${signal ?? code}) without a result`);
}
