import { fork } from "node:child_process";
import { once } from "node:events";

const ROUND_TIMEOUT_MS = 60_000;

/**
 * Runs the rounds of a scenario: each contender in a fresh process, in turns, who begins changes every round, all against one primary in
 * its own process. One uncounted round of each comes first and warms the primary up.
 * @returns the values of each measure, `{ ours: { key: [numbers] }, theirs: ... }`
 */
export async function runScenario(name, scenario, { quick, profileDir, onRound }) {
  const values = { ours: {}, theirs: {} };
  const primary = scenario.primary && (await startPrimary(scenario.primary));
  try {
    const rounds = quick ? 2 : scenario.rounds;
    for (let round = quick ? 1 : 0; round <= rounds; round += 1) {
      const order = round % 2 === 0 ? ["theirs", "ours"] : ["ours", "theirs"];
      for (const contender of order) {
        onRound(`${round}/${rounds} ${contender}`);
        const job = { scenario: name, contender, ports: primary?.ports, quick };
        const profile = profileDir ? ["--cpu-prof", `--cpu-prof-dir=${profileDir}/${name}-${contender}`] : [];
        const result = await runRound(job, [...(scenario.nodeArgs ?? []), ...profile]);
        if (round === 0) continue;
        for (const { key } of scenario.measures) {
          values[contender][key] ??= [];
          values[contender][key].push(result[key]);
        }
      }
    }
  } finally {
    primary?.process.kill();
  }
  return values;
}

async function startPrimary({ collections, auth = "public" }) {
  const process = fork(new URL("../primary.mjs", import.meta.url), [String(collections), auth]);
  const [ports] = await Promise.race([once(process, "message"), failedExit(process)]);
  return { process, ports };
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
