import { fork } from "node:child_process";
import { once } from "node:events";
import { createPrimaryControl } from "./primary-control.mjs";

/**
 * Starts a primary in a process of its own; see `bench/primary.mjs` for the options.
 * @param nodeArgs options of node
 * @returns its `ports`, a `control` of it, and `stop()`, which resolves when its port is closed
 */
export async function startPrimary(options, nodeArgs = []) {
  const child = fork(new URL("../primary.mjs", import.meta.url), [JSON.stringify(options)], { execArgv: nodeArgs });
  const exited = once(child, "exit");
  const failed = exited.then(() => {
    throw new Error("The primary ended before it was ready");
  });
  // Later ends are its stop.
  failed.catch(() => {});
  const [ports] = await Promise.race([once(child, "message"), failed]);
  return {
    ports,
    control: createPrimaryControl(ports),
    async stop() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
