import { createGracefulShutdown } from "@drakkar.software/starfish-server";
import type { Cluster } from "./cluster.js";
import { createControls } from "./controls.js";
import { greeting } from "./greeting.js";
import { hasKeys, readKeys } from "./keys.js";
import { createLiveView } from "./live-view.js";
import { createPaint } from "./paint.js";
import { createPlainView } from "./plain-view.js";
import { repeat } from "./repeat.js";
import { readRows } from "./rows.js";
import { createShop } from "./shop.js";
import type { Terminal } from "./terminal.js";
import { startWriter } from "./writer.js";

/**
 * Shows the cluster at work until a signal or a key ends the process: a table and keys on a terminal, lines elsewhere. Never resolves.
 */
export function runLive(cluster: Cluster, terminal: Terminal): Promise<never> {
  const { stdin, stdout } = terminal;
  const live = stdout.isTTY === true && process.env.TERM !== "dumb";
  const keys = live && hasKeys(stdin);
  stdout.write(greeting(cluster, createPaint(stdout)));
  const view = live ? createLiveView(terminal, keys) : createPlainView(terminal);
  const complain = (error: unknown) => view.complain(`demo: ${error instanceof Error ? error.message : String(error)}`);
  const shop = createShop(cluster.atReplica);
  const controls = createControls(cluster.primary, shop, complain);
  const stopWriter = startWriter(cluster, shop, complain);
  const show = async () =>
    view.show({ rows: await readRows(cluster), primaryRuns: cluster.primary.running, news: controls.news });
  const stopShowing = repeat(view.everyMs, show, complain);

  let giveKeysBack = () => {};
  createGracefulShutdown({
    plugins: [cluster.replica.plugin],
    signals: ["SIGINT", "SIGTERM", "SIGHUP"],
    async onShutdown() {
      await Promise.all([stopShowing(), stopWriter()]);
      giveKeysBack();
      view.close();
      await cluster.stop();
      stdout.write("Stopped; its files are removed.\n");
    },
  });
  if (keys) giveKeysBack = readKeys(stdin, { ...controls.press, q: () => process.emit("SIGINT") });
  return new Promise(() => {});
}
