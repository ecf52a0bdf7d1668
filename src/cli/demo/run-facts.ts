import { createGracefulShutdown, type ServerPlugin } from "@drakkar.software/starfish-server";
import type { Fact } from "./fact.js";
import { createPaint } from "./paint.js";
import type { Output } from "./terminal.js";

/** Facts to be found out once, and what is to be stopped afterwards. */
interface Round {
  /** Shut down before `stop`. */
  readonly plugins: readonly ServerPlugin[];
  readonly verify: (tell: (fact: Fact) => void) => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Begins the last line when nothing differs. */
  readonly summary: string;
}

/**
 * Verifies a round, prints each fact as it is found, and stops what was started for it. What differed is told on stderr too.
 * @returns whether nothing differed
 */
export async function runFacts(round: Round, { stdout, stderr }: Output): Promise<boolean> {
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
    plugins: [onSignal, ...round.plugins],
    onShutdown: round.stop,
  });
  // The host ends the process with 0 on a signal, but a round that was cut short has verified nothing.
  const fail = () => {
    stderr.write("interrupted: this round has verified nothing\n");
    process.exitCode = 1;
  };
  process.once("exit", fail);

  const facts: Fact[] = [];
  await round.verify((fact) => {
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
      ? `${round.summary}: ${facts.length} facts verified in ${seconds} s.`
      : `${differing} of ${facts.length} facts differ.`;
  stdout.write(`\n${paint([[summary, differing === 0 ? "green" : "red"]])}\n`);
  return differing === 0;
}
