import { readFileSync } from "node:fs";
import { emitKeypressEvents, type Key } from "node:readline";

/** Whether there is a terminal whose keys come to us. A job in the background that asked for them would be stopped. */
export function hasKeys(stdin: NodeJS.ReadStream): boolean {
  return stdin.isTTY === true && isInForeground();
}

/**
 * Takes keys one by one, without echo. `press` has a function for each key that counts, by its name in lower case. Ctrl-C is the signal that
 * a terminal makes of it for everybody else, and is sent to whom a terminal would send it.
 * @returns gives the terminal back as it was; so does the end of the process
 */
export function readKeys(stdin: NodeJS.ReadStream, press: Readonly<Record<string, () => void>>): () => void {
  const giveBack = () => {
    stdin.setRawMode(false);
  };
  const onKey = (_: unknown, { name = "", ctrl, meta }: Key) => {
    if (ctrl && name === "c") interrupt();
    else if (!ctrl && !meta && Object.hasOwn(press, name)) press[name]?.();
  };
  emitKeypressEvents(stdin);
  stdin.on("keypress", onKey);
  // The terminal has gone: SIGHUP tells of it.
  stdin.on("error", () => {});
  process.once("exit", giveBack);
  stdin.setRawMode(true);
  stdin.resume();
  return () => {
    stdin.removeListener("keypress", onKey);
    stdin.pause();
    giveBack();
    process.removeListener("exit", giveBack);
  };
}

/** Windows has no process groups, and its `kill` waits for no handler. */
function interrupt(): void {
  if (process.platform === "win32") process.emit("SIGINT");
  else process.kill(0, "SIGINT");
}

/** Linux says so; elsewhere it is taken for granted. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function isInForeground(): boolean {
  try {
    const [, , group, , , terminalGroup] = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return group === terminalGroup;
  } catch {
    return true;
  }
}
