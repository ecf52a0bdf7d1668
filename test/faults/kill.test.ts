import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { documentHash } from "../../src/protocol/canonical-json.js";
import { buildOnce } from "../support/build-once.js";
import { type Child, spawnNode } from "../support/child.js";
import { collection } from "../support/collection.js";
import { type Primary, startPrimary } from "../support/primary.js";
import { realDelay } from "../support/real-time.js";
import { inCi, size } from "../support/size.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait.js";

/** Makes writes long enough to be killed in the middle of one. */
const FILLER = "x".repeat(30_000);

/** Each side changes fields of its own, so that what must come out is exact. */
type Side = Record<string, number>;

interface Edits {
  /** What this side must have in the end. */
  readonly certain: Side;
  /** The write that was under way when the process died; it may have been stored or not. */
  maybe: Side | null;
  /** Acknowledged writes so far. */
  count: number;
}

interface Pulled {
  readonly data: { readonly local?: Side; readonly remote?: Side };
  readonly hash: string;
}

async function pull(url: string): Promise<Pulled> {
  return (await (await fetch(url)).json()) as Pulled;
}

/** Adds a field, changes one, removes one. */
function edit(side: Side, step: number): Side {
  const next: Side = { ...side, [`k${step}`]: step, [`k${step - 3}`]: -step };
  delete next[`k${step - 7}`];
  return next;
}

/** Reads, edits one side and pushes, again and again, until the server is gone or `signal` aborts. */
async function keepEditing(url: string, field: "local" | "remote", edits: Edits, signal: AbortSignal, from: number) {
  for (let step = from; !signal.aborted; step++) {
    let next: Side;
    try {
      const { data, hash } = await pull(url.replace("/push/", "/pull/"));
      next = edit(edits.certain, step);
      edits.maybe = next;
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ data: { ...data, filler: FILLER, [field]: next }, baseHash: hash === "" ? null : hash }),
      });
      edits.maybe = null;
      await response.text();
      if (response.status === 409) continue;
      if (response.status !== 200) throw new Error(`${field}: ${response.status}`);
    } catch (error) {
      // The server is gone.
      if (error instanceof TypeError) return;
      throw error;
    }
    replaceAll(edits.certain, next);
    edits.count += 1;
  }
}

function replaceAll(target: Side, source: Side): void {
  for (const key of Object.keys(target)) delete target[key];
  Object.assign(target, source);
}

/** Every stored value, by its key. Unfinished files of the store count as nothing, as they do for the store. */
async function whatIsOnDisk(folder: string): Promise<Map<string, { data?: unknown; hash?: string }>> {
  const found = new Map();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith(".tmp")) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(path.slice(folder.length + 1), JSON.parse(await readFile(path, "utf8")));
  }
  return found;
}

describe("a replica server that is killed in the middle of its syncs, again and again", () => {
  async function begin(primary: Primary, folder: string): Promise<{ child: Child; url: string }> {
    const child = spawnNode(await buildOnce("test/faults/kill-child.ts"), [primary.url, folder]);
    const [, url = ""] = await child.waitForLine(/^at (.*)$/);
    return { child, url };
  }

  it.runIf(inCi)(
    "finds whole documents on its disk, and takes back nobody's edit",
    { timeout: 30 * 60_000 },
    async () => {
      const folder = tempDir();
      const primary = await startPrimary({ collections: [collection("followed"), collection("merged")] });
      const local: Edits = { certain: {}, maybe: null, count: 0 };
      const remote: Edits = { certain: {}, maybe: null, count: 0 };
      const rounds = size({ test: 10, ci: 40, soak: 500 });
      let syncedHash = "";
      for (const name of ["followed", "merged"]) await primary.write(name, { filler: FILLER });
      for (let round = 1; round <= rounds; round++) {
        const { child, url } = await begin(primary, folder);
        child.writeLine("sync");
        await child.waitForLine(/^synced \[\]$/);
        const { data } = await pull(`${url}/pull/merged/doc`);
        // Deep equality knows no order: which of the two, then.
        const arrived = local.maybe !== null && documentHash(data.local ?? {}) === documentHash(local.maybe);
        if (arrived && local.maybe) replaceAll(local.certain, local.maybe);
        expect(data.local ?? {}, `local edits, round ${round}`).toEqual(local.certain);
        expect(data.remote ?? {}, `remote edits, round ${round}`).toEqual(remote.certain);
        const followed = await pull(`${url}/pull/followed/doc`);
        expect(followed.hash).toBe((await primary.read("followed")).hash);
        expect(followed.hash).not.toBe(syncedHash);
        syncedHash = followed.hash;
        local.maybe = null;

        const quiet = new AbortController();
        const editing = [
          keepEditing(`${url}/push/merged/doc`, "local", local, quiet.signal, round * 10_000),
          keepEditing(`${primary.url}/push/merged/doc`, "remote", remote, quiet.signal, round * 10_000),
          keepEditing(
            `${primary.url}/push/followed/doc`,
            "remote",
            { certain: {}, maybe: null, count: 0 },
            quiet.signal,
            round * 10_000,
          ),
        ];
        const [locally, remotely] = [local.count, remote.count];
        await waitFor(() => local.count > locally && remote.count > remotely, { everyMs: 1 });
        await realDelay(Math.random() * 120);
        await child.kill();
        quiet.abort();
        await Promise.all(editing);

        const disk = await whatIsOnDisk(folder);
        expect(disk.size).toBe(3);
        for (const [key, value] of disk) {
          if (key.startsWith("_replica")) expect(value).toMatchObject({ v: 1 });
          else expect(value.hash, key).toBe(documentHash(value.data));
        }
      }
    },
  );
});
