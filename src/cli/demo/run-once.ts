import { createGracefulShutdown, type ServerPlugin } from "@drakkar.software/starfish-server";
import type { Cluster } from "./cluster.js";
import type { Fact } from "./fact.js";
import { createPaint } from "./paint.js";
import type { Output } from "./terminal.js";
import { verifyRound } from "./verify-round.js";

/**
 * Verifies one round of all four modes, prints each fact as it is found, and stops the cluster. What differed is told on stderr too.
 * @returns whether nothing differed
 */
export async function runOnce(cluster: Cluster, { stdout, stderr }: Output): Promise<boolean> {
  const paint = createPaint(stdout);
  const begun = performance.now();
  let interrupted = false;
  const onSignal: ServerPlugin = {
    name: "starfish-replica-demo",
    async shutdown() {
      interrupted = true;
    },
  };
  const { shutdown, unregister } = createGracefulShutdown({
    plugins: [onSignal, cluster.replica.plugin],
    onShutdown: cluster.stop,
  });
  // The host ends the process with 0 on a signal, but a round that was cut short has verified nothing.
  const fail = () => {
    stderr.write("interrupted: this round has verified nothing\n");
    process.exitCode = 1;
  };
  process.once("exit", fail);

  const facts: Fact[] = [];
  await verifyRound(cluster, (fact) => {
    if (interrupted) return;
    if (facts.at(-1)?.about !== fact.about) stdout.write(`${paint([[fact.about, "bold"]])}\n`);
    facts.push(fact);
    const { what, difference } = fact;
    stdout.write(`${paint([difference === null ? ["  ✓ ", "green"] : ["  ✗ ", "red"], [what]])}\n`);
    if (difference !== null) stderr.write(`differs: ${fact.about}: ${what}: ${difference}\n`);
  });
  // The host is about to end the process.
  if (interrupted) return await new Promise(() => {});
  await shutdown();
  unregister();
  process.removeListener("exit", fail);

  const differing = facts.filter(({ difference }) => difference !== null).length;
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  const summary =
    differing === 0
      ? `All four modes hold: ${facts.length} facts verified in ${seconds} s.`
      : `${differing} of ${facts.length} facts differ.`;
  stdout.write(`\n${paint([[summary, differing === 0 ? "green" : "red"]])}\n`);
  return differing === 0;
}
