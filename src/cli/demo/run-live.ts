import { createGracefulShutdown } from "@drakkar.software/starfish-server";
import type { Cluster } from "./cluster.js";
import { greeting } from "./greeting.js";
import { createLiveView } from "./live-view.js";
import { createPaint } from "./paint.js";
import { createPlainView } from "./plain-view.js";
import { repeat } from "./repeat.js";
import { readRows } from "./rows.js";
import type { Output } from "./view.js";
import { startWriter } from "./writer.js";

/** Shows the cluster at work until a signal ends the process: a table on a terminal, lines elsewhere. Never resolves. */
export function runLive(cluster: Cluster, output: Output): Promise<never> {
  const { stdout } = output;
  const live = stdout.isTTY === true && process.env.TERM !== "dumb";
  stdout.write(greeting(cluster, createPaint(stdout)));
  const view = live ? createLiveView(output) : createPlainView(output);
  const complain = (error: unknown) => view.complain(`demo: ${error instanceof Error ? error.message : String(error)}`);
  const stopWriter = startWriter(cluster, complain);
  const stopShowing = repeat(view.everyMs, async () => view.show(await readRows(cluster)), complain);

  createGracefulShutdown({
    plugins: [cluster.replica.plugin],
    signals: ["SIGINT", "SIGTERM", "SIGHUP"],
    async onShutdown() {
      await Promise.all([stopShowing(), stopWriter()]);
      view.close();
      await cluster.stop();
      stdout.write("Stopped; its files are removed.\n");
    },
  });
  return new Promise(() => {});
}
