import { documentHash } from "../../src/protocol/canonical-json.js";
import { collection } from "../support/collection.js";
import type { Primary } from "../support/primary.js";
import { type Replica, remote, startReplica } from "../support/replica.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { type MortalStore, mortalStore } from "./mortal-store.js";
import { type Change, changed, type Json, type Oracle } from "./oracle.js";

/** When the next process of a member dies: in its so many-th write to the store. */
export interface Fate {
  readonly after: number;
  readonly lost: boolean;
}

/**
 * What a line does: nothing bad, resetting what is on it now, losing every answer, or silence. It never refuses connections: the port would be
 * free, and somebody else's server might answer there.
 */
export type Fault = "pass" | "cut" | "lose answers" | "black hole";

interface Process {
  readonly proxy: TcpProxy;
  readonly mortal: MortalStore;
  readonly replica: Replica;
}

const KEY = "posts/doc";
const IMMORTAL: Fate = { after: Number.POSITIVE_INFINITY, lost: false };

/** One replica server, process after process, its disk, its line to the primary, and the client that writes to it. */
export class Member {
  readonly name: string;
  readonly #data: Map<string, string>;
  readonly #oracle: Oracle;
  readonly #proxy: TcpProxy;
  #mortal: MortalStore;
  #replica: Replica;
  readonly #past: Promise<void>[] = [];

  private constructor(name: string, oracle: Oracle, data: Map<string, string>, begun: Process) {
    this.name = name;
    this.#oracle = oracle;
    this.#data = data;
    this.#proxy = begun.proxy;
    this.#mortal = begun.mortal;
    this.#replica = begun.replica;
  }

  static async start(name: string, primary: Primary, oracle: Oracle, fate: Fate): Promise<Member> {
    const proxy = await startTcpProxy(primary.port);
    const data = new Map<string, string>();
    return new Member(name, oracle, data, await begin(data, proxy, fate));
  }

  get dead(): boolean {
    return this.#mortal.dead;
  }

  get isQuiet(): boolean {
    const status = this.#replica.manager.status()[0];
    return status?.outbox?.pendingSince === null && status.outbox.deadLetter === null;
  }

  /** Ends the process without any grace and begins the next one on the same disk. */
  async restart(fate: Fate = IMMORTAL): Promise<void> {
    this.#mortal.die();
    this.#past.push(this.#replica.stop());
    const next = await begin(this.#data, this.#proxy, fate);
    this.#mortal = next.mortal;
    this.#replica = next.replica;
  }

  async setLine(fault: Fault): Promise<void> {
    await this.#proxy.pass();
    if (fault === "cut") this.#proxy.cut();
    if (fault === "lose answers") this.#proxy.resetAfter(0);
    if (fault === "black hole") this.#proxy.blackHole();
  }

  /** The client reads, changes and pushes, until the server says yes or dies. */
  async write(changes: readonly Change[]): Promise<void> {
    for (;;) {
      const seen = await this.read();
      if (!seen) return;
      const data = changed(seen.data, changes);
      const status = await this.#push(data, seen.hash);
      if (status === 409) continue;
      // Nobody was told. Whether it is on the disk is seen there, since nothing can have come after it.
      const landed = status === 200 || JSON.parse(this.#data.get(KEY) ?? "{}").hash === documentHash(data);
      if (status !== 200 && !this.dead) throw new Error(`${this.name} refused a write with ${status}`);
      if (landed) this.#oracle.stored(this.name, seen.data, changes);
      return;
    }
  }

  /** What the client is shown; `null` where the server is dead. It must show what this client wrote. */
  async read(): Promise<{ data: Json; hash: string } | null> {
    const { status, body } = await this.#replica.get(`/pull/${KEY}`);
    if (this.dead) return null;
    if (status !== 200) throw new Error(`${this.name} answered ${status} to a read`);
    this.#oracle.verifyOwn(this.name, body.data, `at ${this.name}`);
    return body;
  }

  async sync(): Promise<void> {
    await this.#replica.manager.syncNow("posts").catch(() => {});
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#past, this.#replica.stop()]);
    await this.#proxy.stop();
  }

  async #push(data: Json, hash: string): Promise<number> {
    const answer = await this.#replica.push(`/push/${KEY}`, { data, baseHash: hash === "" ? null : hash });
    return answer.status;
  }
}

async function begin(data: Map<string, string>, proxy: TcpProxy, fate: Fate): Promise<Process> {
  const mortal = mortalStore(data, fate);
  const replica = await startReplica({
    collections: [collection("posts")],
    remotes: {
      posts: remote(`${proxy.origin}/v1`, "posts", {
        writeMode: "bidirectional",
        syncTriggers: ["scheduled"],
        intervalMs: 20,
      }),
    },
    store: mortal.store,
    backOff: { baseMs: 5, capMs: 40 },
    requestTimeoutMs: 200,
  });
  replica.manager.start();
  return { proxy, mortal, replica };
}
