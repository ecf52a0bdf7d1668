import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { pageSource } from "../support/page-source.mjs";
import { syncPages } from "../support/page-sync.mjs";
import { openPageWorkplace } from "../support/page-workplace.mjs";

const HASH_FILE = fileURLToPath(new URL("../support/hash-file.mjs", import.meta.url));

export const scenario = {
  title: "Pages: 1 GB, nothing changed",
  how: "a file of 244,000 pages of 4096 bytes that is what the server has: once in WAL mode and open in this program through better-sqlite3, once in rollback mode, of which a copy is made first. Warm in memory. From the call of `push` or `pull` to its end. Beside it what reading the file once takes, each in one process: `cat file > /dev/null`, and reading it with a BLAKE3 of each page (node, hash-wasm). Bytes are all that passed the server's socket in both directions",
  versus: { hash: "read and BLAKE3", cat: "`cat`" },
  ratioLabel: "against read and BLAKE3",
  warmUp: false,
  roundTimeoutMs: 300_000,
  rounds: 5,
  measures: [
    { key: "pushWal", label: "push, WAL", unit: "s", better: "less" },
    { key: "pullWal", label: "pull, WAL", unit: "s", better: "less" },
    { key: "pushRollback", label: "push, rollback", unit: "s", better: "less" },
    { key: "pullRollback", label: "pull, rollback", unit: "s", better: "less" },
    { key: "pushBytes", label: "bytes, push", better: "less" },
    { key: "pullBytes", label: "bytes, pull", better: "less" },
    { key: "share", label: "the larger of both, in millionths of the file", better: "less", target: { max: 100 } },
  ],
  async run({ contender, file, quick }) {
    const source = pageSource(file, quick ? 0.1 : 1);
    if (contender === "ours") return sync(source, file);
    const start = performance.now();
    if (contender === "cat") execFileSync("sh", ["-c", 'exec cat "$1" > /dev/null', "sh", source]);
    else execFileSync(process.execPath, [HASH_FILE, source, "pages"]);
    const seconds = (performance.now() - start) / 1000;
    return { pushWal: seconds, pullWal: seconds, pushRollback: seconds, pullRollback: seconds };
  },
};

async function sync(source, file) {
  const { server, places } = await openPageWorkplace(file, source, { wal: {}, rollback: { journalMode: "DELETE" } });
  try {
    const open = new Database(places.wal.file);
    open.prepare("SELECT count(*) FROM (SELECT 1 FROM items LIMIT 1)").get();
    const at = (direction, { file, tokens }) => syncPages(direction, { server, file, token: tokens[direction] });
    const pushWal = await at("push", places.wal);
    const pullWal = await at("pull", places.wal);
    open.close();
    const pushRollback = await at("push", places.rollback);
    const pullRollback = await at("pull", places.rollback);
    const all = [pushWal, pullWal, pushRollback, pullRollback];
    if (all.some(({ changed, pages }) => changed || pages > 0)) throw new Error("Something was changed");
    const bytes = Math.max(...all.map((one) => one.bytes));
    return {
      pushWal: pushWal.ms / 1000,
      pullWal: pullWal.ms / 1000,
      pushRollback: pushRollback.ms / 1000,
      pullRollback: pullRollback.ms / 1000,
      pushBytes: pushWal.bytes,
      pullBytes: pullWal.bytes,
      share: (1e6 * bytes) / statSync(source).size,
    };
  } finally {
    await server.stop();
  }
}
