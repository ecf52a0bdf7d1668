import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { peakRssMB } from "./peak-rss.mjs";

/** `sqlite3 <args>` with its output in a file; `ms` from its start to its end. */
export async function shellToFile({ args, target }) {
  const output = openSync(target, "w");
  const start = performance.now();
  const shell = spawn("sqlite3", args, { stdio: ["ignore", output, "inherit"] });
  let rssMB;
  const look = setInterval(() => {
    rssMB = peakRssMB(shell.pid) ?? rssMB;
  }, 20);
  const [code] = await once(shell, "exit");
  const ms = performance.now() - start;
  clearInterval(look);
  closeSync(output);
  if (code !== 0) throw new Error(`sqlite3 ${args.join(" ")} ended with ${code}`);
  return { ms, rssMB };
}
