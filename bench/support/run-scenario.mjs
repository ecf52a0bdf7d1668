import { fork } from "node:child_process";
import { once } from "node:events";
import { startPrimary } from "./start-primary.mjs";

const ROUND_TIMEOUT_MS = 120_000;

/**
 * Runs the rounds of a scenario: each contender in a fresh process, in turns, who begins changes every round, all against one primary in
 * its own process. One uncounted round of each comes first and warms the primary up, unless `warmUp` is false. `contenders` names who takes
 * part, where it is not both.
 * @returns the values of each measure, `{ ours: { key: [numbers] }, theirs: ... }`; a round that has none for a measure adds none
 */
export async function runScenario(name, scenario, { quick, profileDir, onRound }) {
  const values = { ours: {}, theirs: {} };
  const primary = scenario.primary && (await startPrimary(scenario.primary));
  try {
    const { contenders = ["ours", "theirs"], warmUp = true, quickRounds = 2 } = scenario;
    const rounds = quick ? quickRounds : scenario.rounds;
    for (let round = quick || !warmUp ? 1 : 0; round <= rounds; round += 1) {
      const order = round % 2 === 0 ? contenders.toReversed() : contenders;
      for (const contender of order) {
        onRound(`${round}/${rounds} ${contender}`);
        const job = { scenario: name, contender, ports: primary?.ports, quick };
        const profile = profileDir ? ["--cpu-prof", `--cpu-prof-dir=${profileDir}/${name}-${contender}`] : [];
        const result = await runRound(job, [...(scenario.nodeArgs ?? []), ...profile]);
        if (round === 0) continue;
        for (const { key } of scenario.measures) {
          if (result[key] === undefined) continue;
          values[contender][key] ??= [];
          values[contender][key].push(result[key]);
        }
      }
    }
  } finally {
    await primary?.stop();
  }
  return values;
}

async function runRound(job, execArgv) {
  const child = fork(new URL("../round.mjs", import.meta.url), [JSON.stringify(job)], { execArgv });
  const timer = setTimeout(() => child.kill("SIGKILL"), ROUND_TIMEOUT_MS);
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
