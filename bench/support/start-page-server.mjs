import { fork } from "node:child_process";
import { once } from "node:events";

/** Starts a page server in a process of its own. `ask(command)` is what `page-server.mjs` answers. */
export async function startPageServer(dir) {
  const child = fork(new URL("../page-server.mjs", import.meta.url), [JSON.stringify({ dir })], {
    execArgv: process.execArgv.map((arg) => arg.replace(/(--cpu-prof-dir=.*)/, "$1-server")),
  });
  const next = async () => {
    const over = new AbortController();
    const ended = once(child, "exit", { signal: over.signal }).then(([code, signal]) => {
      throw new Error(`The page server ended (${signal ?? code})`);
    });
    ended.catch(() => {});
    const [answer] = await Promise.race([once(child, "message"), ended]);
    over.abort();
    return answer;
  };
  const { port } = await next();
  const ask = async (command) => {
    const answer = next();
    child.send({ command });
    return answer;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    ask,
    async stop() {
      const ended = once(child, "exit");
      await ask("stop");
      await ended;
    },
  };
}
