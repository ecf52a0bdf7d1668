import { type ChildProcess, spawn } from "node:child_process";
import { realpathSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary folder that goes with the demo, however that ends, and the processes that work in it. */
export interface DemoFolder {
  readonly path: string;
  /** Ends this process, too, when ours ends without having called `remove`. Once it has ended by itself, `undefined`. */
  guard(child: ChildProcess | undefined): void;
  /** Removes it. Its processes are to be stopped first. */
  remove(): Promise<void>;
}

// Its stdin closes when we end, however we end. Each line names the process to end then; 0 is none.
const GUARD = `
pid=0
while read -r line; do pid=$line; done
if [ "$pid" != 0 ]; then
  kill -QUIT "$pid"
  # A process that nobody reaps is there for ever.
  tries=0
  while kill -0 "$pid" && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
fi
tries=0
while [ -e "$1" ] && [ $tries -lt 100 ]; do rm -rf "$1" || sleep 0.1; tries=$((tries + 1)); done
`;

/** Makes a temporary folder below `parent`, by default where the system has such. */
export async function makeDemoFolder(parent: string = tmpdir()): Promise<DemoFolder> {
  const path = realpathSync(await mkdtemp(join(parent, "starfish-replica-demo-")));
  // In a session of its own: Ctrl-C is not for it.
  const guard = spawn("sh", ["-c", GUARD, "sh", path], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  let child: ChildProcess | undefined;
  const tidyHere = (): void => {
    child?.kill("SIGKILL");
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  };
  // Where there is no `sh`.
  guard.on("error", () => process.once("exit", tidyHere));
  guard.stdin.on("error", () => {});
  guard.unref();
  return {
    path,
    guard(next) {
      child = next;
      guard.stdin.write(`${next?.pid ?? 0}\n`);
    },
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      guard.kill("SIGKILL");
      process.removeListener("exit", tidyHere);
    },
  };
}
