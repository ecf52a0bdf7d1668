import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { buildOnce } from "../support/build-once.js";
import { type Child, spawnNode } from "../support/child.js";
import { collection } from "../support/collection.js";
import { type Primary, startPrimary } from "../support/primary.js";
import { realDelay } from "../support/real-time.js";
import { size } from "../support/size.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait.js";

type Json = Record<string, unknown>;

/** One client of one collection, and what it knows of its writes. */
class Writer {
  /** Fields whose writes were answered 200, and their values; `undefined` for those that it removed. */
  readonly certain = new Map<string, number | undefined>();
  /** The write under way when the server died. It may be there or not. */
  maybe: ReadonlyMap<string, number | undefined> = new Map();
  answered = 0;
  #step = 0;
  readonly #name: string;
  readonly #reads: boolean;
  #hash: string | null = null;
  #data: Json = {};

  constructor(name: string, reads: boolean) {
    this.#name = name;
    this.#reads = reads;
  }

  /** Writes until the server is gone or `signal` aborts. `stored` gives what is on the server's disk, for clients that may not read. */
  async keepWriting(url: string, signal: AbortSignal, stored: () => Promise<{ data: Json; hash: string | null }>) {
    if (!this.#reads) ({ data: this.#data, hash: this.#hash } = await stored());
    while (!signal.aborted) {
      this.#step += 1;
      const change = new Map<string, number | undefined>([
        [`k${this.#step}`, this.#step],
        [`k${this.#step - 3}`, -this.#step],
        [`k${this.#step - 9}`, undefined],
      ]);
      try {
        if (this.#reads) await this.#read(url);
        const data: Json = { ...this.#data, ...Object.fromEntries(change) };
        this.maybe = change;
        const response = await fetch(`${url}/push/${this.#name}/doc`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ data, baseHash: this.#hash }),
        });
        const { status } = response;
        const body = (await response.json()) as { hash: string };
        this.maybe = new Map();
        if (status === 409 && this.#reads) continue;
        expect(status).toBe(200);
        this.#data = JSON.parse(JSON.stringify(data));
        this.#hash = body.hash;
      } catch (error) {
        if (error instanceof TypeError) return;
        throw error;
      }
      for (const [field, value] of change) this.certain.set(field, value);
      this.answered += 1;
    }
  }

  async #read(url: string): Promise<void> {
    const { data, hash } = (await (await fetch(`${url}/pull/${this.#name}/doc`)).json()) as {
      data: Json;
      hash: string;
    };
    this.#data = data;
    this.#hash = hash === "" ? null : hash;
  }

  /** What was answered 200 is there, and what was under way is there as a whole or not at all, which is certain from then on. */
  settle(data: Json, where: string): void {
    const arrived = [...this.maybe].filter(([field, value]) => data[field] === value).length === this.maybe.size;
    if (arrived) for (const [field, value] of this.maybe) this.certain.set(field, value);
    this.maybe = new Map();
    const expected = Object.fromEntries([...this.certain].filter(([, value]) => value !== undefined));
    expect(
      Object.fromEntries(Object.entries(data).filter(([field]) => field.startsWith("k"))),
      `${this.#name}, ${where}`,
    ).toEqual(expected);
  }
}

async function begin(url: string, folder: string): Promise<{ child: Child; url: string }> {
  const child = spawnNode(await buildOnce("test/outbox/outbox-child.ts"), [url, folder]);
  const [, at = ""] = await child.waitForLine(/^at (.*)$/);
  return { child, url: at };
}

/** Another writer at the primary, who overwrites nothing that he has not seen. */
async function writeThere(primary: Primary, field: string): Promise<void> {
  for (;;) {
    const { data, hash } = await primary.read("merged");
    const body = JSON.stringify({ data: { ...data, [field]: 1 }, baseHash: hash === "" ? null : hash });
    const headers = { "content-type": "application/json" };
    const { status } = await fetch(`${primary.url}/push/merged/doc`, { method: "POST", headers, body });
    if (status === 200) return;
    expect(status).toBe(409);
  }
}

describe("a replica server that is killed between its clients' 200 and the primary's answer", () => {
  it("loses nothing that was answered 200 and applies nothing twice", { timeout: 30 * 60_000 }, async () => {
    const folder = tempDir();
    const taken: string[] = [];
    const primary = await startPrimary({
      collections: [collection("merged"), collection("written")],
      plugins: [{ name: "taken", afterWrite: ({ collection, hash }) => void taken.push(`${collection} ${hash}`) }],
    });
    const line = await startTcpProxy(primary.port);
    const merged = new Writer("merged", true);
    const written = new Writer("written", false);
    const rounds = size({ test: 5, ci: 20, soak: 50 });
    for (let round = 1; round <= rounds; round++) {
      line.setLatencyMs(Math.random() * 15);
      const { child, url } = await begin(`${line.origin}/v1`, folder);
      const quiet = new AbortController();
      const before = [merged.answered, written.answered];
      const onDisk = async () => await stored(folder, "written");
      const writing = [merged, written].map((writer) => writer.keepWriting(url, quiet.signal, onDisk));
      await waitFor(() => merged.answered > (before[0] ?? 0) && written.answered > (before[1] ?? 0), { everyMs: 1 });
      await realDelay(Math.random() * 100);
      await child.kill();
      quiet.abort();
      await Promise.all(writing);
      merged.settle((await stored(folder, "merged")).data, `on the disk after round ${round}`);
      written.settle((await stored(folder, "written")).data, `on the disk after round ${round}`);
      if (round % 2 === 0) await writeThere(primary, `there${round}`);
    }
    line.setLatencyMs(0);
    const { child } = await begin(`${line.origin}/v1`, folder);
    await waitFor(async () => {
      const there = await Promise.all(["merged", "written"].map((name) => primary.read(name)));
      const here = await Promise.all(["merged", "written"].map((name) => stored(folder, name)));
      return there.every(({ hash }, i) => hash === here[i]?.hash);
    });
    merged.settle((await primary.read("merged")).data, "at the primary");
    written.settle((await primary.read("written")).data, "at the primary");
    const there = Object.keys((await primary.read("merged")).data).filter((field) => field.startsWith("there"));
    expect(there).toHaveLength(Math.floor(rounds / 2));
    // No write here repeats a content: one that the primary took twice was applied twice.
    expect(taken.filter((one, i) => taken.indexOf(one) !== i)).toEqual([]);
    await child.kill();
  });
});

async function stored(folder: string, name: string): Promise<{ data: Json; hash: string | null }> {
  const raw = await readFile(`${folder}/${name}/doc`, "utf8").catch(() => null);
  return raw === null ? { data: {}, hash: null } : JSON.parse(raw);
}
