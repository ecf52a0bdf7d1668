import { mkdirSync, rmSync } from "node:fs";
import { copyAndHash } from "../support/copy-and-hash.mjs";
import { makePageDatabases } from "../support/page-accounts.mjs";
import { pageSource } from "../support/page-source.mjs";
import { syncPages } from "../support/page-sync.mjs";
import { sameFile } from "../support/same-file.mjs";
import { startPageServer } from "../support/start-page-server.mjs";

export const scenario = {
  title: "Pages: first push and first pull of 1 GB",
  how: "244,000 pages of 4096 bytes, random content, in WAL mode and warm in memory; server, client and the client's process on the same two cores and one disk. Ours is `push` of a file that the server does not have and `pull` to where there is none, each from the call to its end, with all that it makes durable. Beside it what must be done at least: `cp` to the same disk, `sync` of the copy, and a hash of the copy: `sha256sum`, or BLAKE3 in node (hash-wasm)",
  programs: ["sha256sum"],
  versus: { sha: "`cp`, `sync`, `sha256sum`", blake: "`cp`, `sync`, BLAKE3" },
  ratioLabel: "against cp",
  warmUp: false,
  roundTimeoutMs: 300_000,
  rounds: 3,
  measures: [
    { key: "push", label: "first push", unit: "s", better: "less" },
    { key: "pull", label: "first pull", unit: "s", better: "less" },
    { key: "pushMB", label: "first push, MB a second", better: "more" },
    { key: "pullMB", label: "first pull, MB a second", better: "more" },
    { key: "overhead", label: "bytes on the wire beyond the file, push", unit: "%", better: "less" },
  ],
  async run({ contender, file, quick }) {
    const source = pageSource(file, quick ? 0.1 : 1);
    if (contender !== "ours") return copy(source, file, contender);
    return sync(source, file);
  },
};

async function copy(source, file, hash) {
  const { bytes, ms } = await copyAndHash(source, file, hash);
  const [seconds, megabytes] = [ms / 1000, bytes / 1000 / ms];
  return { push: seconds, pull: seconds, pushMB: megabytes, pullMB: megabytes };
}

async function sync(source, file) {
  const dir = `${file}-server`;
  mkdirSync(dir);
  const server = await startPageServer(dir);
  try {
    const { first } = await makePageDatabases(server.url, ["first"]);
    const push = await syncPages("push", { server, token: first.push, file: source });
    // The record of the push: the next round's is a first one again.
    rmSync(`${source}-replica.json`);
    const pull = await syncPages("pull", { server, token: first.pull, file });
    const bytes = sameFile(source, file);
    return {
      push: push.ms / 1000,
      pull: pull.ms / 1000,
      pushMB: bytes / 1000 / push.ms,
      pullMB: bytes / 1000 / pull.ms,
      overhead: 100 * (push.bytes / bytes - 1),
    };
  } finally {
    await server.stop();
  }
}
