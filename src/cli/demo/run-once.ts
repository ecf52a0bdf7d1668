import type { Cluster } from "./cluster.js";
import { runFacts } from "./run-facts.js";
import type { Output } from "./terminal.js";
import { verifyRound } from "./verify-round.js";

/**
 * Verifies one round of all four modes, prints each fact as it is found, and stops the cluster. What differed is told on stderr too.
 * @returns whether nothing differed
 */
export async function runOnce(cluster: Cluster, output: Output): Promise<boolean> {
  return await runFacts(
    {
      plugins: [cluster.replica.plugin],
      verify: (tell) => verifyRound(cluster, tell),
      stop: cluster.stop,
      summary: "All four modes hold",
    },
    output,
  );
}
