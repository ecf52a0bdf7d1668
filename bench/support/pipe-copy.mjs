import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { LOCAL_ITEMS } from "./items-table.mjs";
import { peakRssMB } from "./peak-rss.mjs";

/** What a shell does: `psql \copy ... | sqlite3 .import`, into a table that is made before. */
export async function pipeCopy({ url, file }) {
  const made = spawnSync("sqlite3", [file, LOCAL_ITEMS], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(made.stderr);
  const command = `psql "$URL" --quiet --no-psqlrc --command '\\copy (select * from items) to stdout csv' | sqlite3 "$FILE" '.import --csv /dev/stdin items'`;
  const start = performance.now();
  const shell = spawn("sh", ["-c", command], {
    env: { ...process.env, URL: url, FILE: file },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const peaks = new Map();
  const look = setInterval(() => {
    for (const pid of childrenOf(shell.pid)) peaks.set(pid, peakRssMB(pid) ?? peaks.get(pid));
  }, 20);
  const [code] = await once(shell, "exit");
  clearInterval(look);
  if (code !== 0) throw new Error(`psql | sqlite3 ended with ${code}`);
  const seen = [...peaks.values()].filter((peak) => peak !== undefined);
  const rssMB = seen.length === 0 ? undefined : seen.reduce((sum, peak) => sum + peak, 0);
  return { ms: performance.now() - start, rssMB };
}

function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  } catch {
    return [];
  }
}
