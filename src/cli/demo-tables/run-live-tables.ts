import { createGracefulShutdown } from "@drakkar.software/starfish-server";
import { hasKeys, readKeys } from "../demo/keys.js";
import { createPaint } from "../demo/paint.js";
import { repeat } from "../demo/repeat.js";
import type { Terminal } from "../demo/terminal.js";
import { readTableRows } from "./table-rows.js";
import { createLiveTables, createPlainTables } from "./table-views.js";
import { startTableWriter } from "./table-writer.js";
import { tablesGreeting } from "./tables-greeting.js";
import { verifyCopies } from "./verify-copies.js";
import type { World } from "./world.js";

/** Longer than a comparison of the demo's tables takes, and short enough for whoever pressed Ctrl-C. */
const END_TIMEOUT_MS = 20_000;

/**
 * Shows the tables at work until a signal or a key ends the process, then verifies them: tables and keys on a terminal, lines elsewhere.
 * Never resolves. The process ends with 1 where a copy differs.
 */
export function runLiveTables(world: World, terminal: Terminal): Promise<never> {
  const { stdin, stdout } = terminal;
  const { postgres } = world;
  const live = stdout.isTTY === true && process.env.TERM !== "dumb";
  const keys = live && hasKeys(stdin);
  stdout.write(tablesGreeting(world, createPaint(stdout)));
  const view = live ? createLiveTables(terminal, keys) : createPlainTables(terminal);
  const complain = (error: unknown): void =>
    view.complain(`demo: ${error instanceof Error ? error.message : String(error)}`);
  let news = "";
  const tell = (what: string): void => {
    news = what;
  };
  let verifying = false;
  const stopWriter = startTableWriter(world, { tell, mayDelete: () => !verifying, onError: complain });
  const show = async (): Promise<void> => {
    view.show({ rows: await readTableRows(world), sourceRuns: postgres.running, news });
  };
  const stopShowing = repeat(view.everyMs, show, complain);

  // One after the other, however fast keys are pressed.
  let doing: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>) => (): void => {
    doing = doing.then(work).catch(complain);
  };
  const startOrStop = inTurn(async () => {
    news = "";
    await (postgres.running ? postgres.stop() : postgres.start());
  });
  const verify = inTurn(async () => {
    if (!postgres.running) return tell("start PostgreSQL first: p");
    tell("verifying ...");
    verifying = true;
    const { words } = await verifyCopies(world).finally(() => {
      verifying = false;
    });
    tell(words);
  });

  let giveKeysBack = (): void => {};
  createGracefulShutdown({
    signals: ["SIGINT", "SIGTERM", "SIGHUP"],
    timeoutMs: END_TIMEOUT_MS,
    async onShutdown() {
      await Promise.all([stopShowing(), stopWriter(), doing]);
      giveKeysBack();
      view.close();
      try {
        if (postgres.running) await tellVerified(world, terminal);
        else stdout.write("Not verified: PostgreSQL is stopped.\n");
      } finally {
        await world.stop();
        stdout.write("Stopped; its files are removed.\n");
      }
    },
  });
  if (keys) giveKeysBack = readKeys(stdin, { p: startOrStop, v: verify, q: () => process.emit("SIGINT") });
  return new Promise(() => {});
}

async function tellVerified(world: World, { stdout, stderr }: Terminal): Promise<void> {
  // The host ends the process with 0 after a signal.
  const fail = (): void => {
    process.exitCode = 1;
  };
  try {
    const { equal, words } = await verifyCopies(world);
    stdout.write(`${words}\n`);
    if (!equal) process.once("exit", fail);
  } catch (error) {
    stderr.write(`demo: not verified: ${error instanceof Error ? error.message : String(error)}\n`);
    process.once("exit", fail);
  }
}
