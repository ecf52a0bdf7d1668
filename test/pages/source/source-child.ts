// A process that reads databases with openPageSource, as it is told line by line: `open <file> [<seconds of patience>]`, `write <file>` (all pages, into a
// file), `hash <file>`, `close`. It answers each with one line: `done <json>` or `failed <json>`.
import { closeSync, openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { ReplicaError } from "../../../src/errors.js";
import { createPageHasher } from "../../../src/pages/hashes/page-hasher.js";
import { hashPageSource } from "../../../src/pages/source/hash-page-source.js";
import { openPageSource } from "../../../src/pages/source/open-page-source.js";
import type { PageSource } from "../../../src/pages/source/page-source.js";

const [workDir = "", user = ""] = process.argv.slice(2);
// Root may read and write everywhere.
if (user !== "" && process.getuid?.() === 0) {
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}

let source: PageSource | undefined;

async function run(command: string, file: string, patience: string): Promise<unknown> {
  if (command === "open") {
    const seconds = patience === "" ? {} : { steadySeconds: Number(patience), lockSeconds: Number(patience) };
    source = await openPageSource(file, { workDir, ...seconds });
    return { pageSize: source.pageSize, pageCount: source.pageCount };
  }
  if (source === undefined) throw new Error("Nothing is open");
  if (command === "write") {
    const fd = openSync(file, "w");
    const step = Math.max(1, Math.floor(300_000 / source.pageSize));
    for (let page = 1; page <= source.pageCount; page += step) {
      writeSync(fd, source.read(page, Math.min(step, source.pageCount - page + 1)));
    }
    closeSync(fd);
    return null;
  }
  if (command === "hash") {
    const hashes = await hashPageSource(source, { path: file, hasher: await createPageHasher() });
    const root = Buffer.from(await hashes.combined(1, source.pageCount)).toString("hex");
    await hashes.close();
    return root;
  }
  source.close();
  source.close();
  source = undefined;
  return null;
}

const tell = (error: unknown) =>
  error instanceof ReplicaError
    ? { code: error.code, message: error.message, hint: error.hint, retryable: error.retryable }
    : { message: String(error) };

let last = Promise.resolve();
createInterface({ input: process.stdin }).on("line", (line) => {
  const [command = "", file = "", patience = ""] = line.split("\t");
  last = last.then(async () => {
    try {
      console.log(`done ${JSON.stringify(await run(command, file, patience))}`);
    } catch (error) {
      console.log(`failed ${JSON.stringify(tell(error))}`);
    }
  });
});
console.log("ready");
