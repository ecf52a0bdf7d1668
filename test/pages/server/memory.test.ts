import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { encodeFrame } from "../../../src/pages/protocol/encode-frame.js";
import { buildOnce } from "../../support/build-once.js";
import { type Child, spawnNode } from "../../support/child.js";
import { size } from "../../support/size.js";
import { waitFor } from "../../support/wait.js";
import { connectRawPeer, type RawPeer } from "./raw-peer.js";
import { FRESH } from "./simple-sync.js";

const MIB = 1024 * 1024;
const DATABASE_PAGES = size({ test: 10_000, ci: 50_000 });
const FLOOD_BYTES = size({ test: 48 * MIB, ci: 200 * MIB });
/** What the process grows by at most: a few buffers for each of a few peers, and what V8 has not thrown away yet. */
const LIMIT = 32 * MIB;
const HELLO = { kind: "hello", protocolVersion: 1, pageSize: 4096, maxPage: 0, extension: FRESH } as const;

interface Server {
  readonly child: Child;
  readonly push: string;
  readonly pull: string;
  connect(token: string): Promise<RawPeer>;
  /** Bytes by which the process has grown at most since the last call, or its start. */
  growth(): Promise<number>;
  /** What is under way, and what `onError` was told. */
  state(): Promise<{ readonly active: number; readonly errors: readonly string[] }>;
}

async function start(): Promise<Server> {
  const entry = await buildOnce("test/pages/server/memory-child.ts");
  const child = spawnNode(entry, [String(DATABASE_PAGES)], { nodeArgs: ["--expose-gc", "--max-semi-space-size=1"] });
  const answer = async (key: string) =>
    JSON.parse((await child.waitForLine(new RegExp(`^\\{"${key}".*`), 20_000))[0]) as Record<string, unknown>;
  const { port, push, pull } = (await answer("port")) as { port: number; push: string; pull: string };
  const state = async () => {
    child.writeLine("memory");
    return (await answer("rss")) as { rss: number; active: number; errors: readonly string[] };
  };
  let base = (await state()).rss;
  child.signal("SIGUSR2");
  await answer("peak");
  return {
    child,
    push,
    pull,
    connect: (token) => connectRawPeer(`ws://127.0.0.1:${port}/sync`, token),
    async growth() {
      child.signal("SIGUSR2");
      const { peak } = (await answer("peak")) as { peak: number };
      const before = base;
      base = (await state()).rss;
      return peak - before;
    },
    state,
  };
}

/** Sends the same message again and again, as fast as the socket takes it, until it is closed. Reads nothing where the peer is paused. */
async function flood(peer: RawPeer, message: Uint8Array, bytes: number): Promise<number> {
  let sent = 0;
  while (sent < bytes && peer.socket.readyState === 1) {
    peer.socket.send(message);
    sent += message.byteLength;
    if (peer.socket.bufferedAmount > 4 * MIB) {
      await waitFor(() => peer.socket.bufferedAmount < MIB || peer.socket.readyState !== 1, {
        everyMs: 1,
        timeoutMs: 1_000,
      }).catch(() => {});
      if (peer.socket.bufferedAmount >= MIB) break;
    }
  }
  return sent;
}

describe("the memory of a server", () => {
  it("stays bounded whatever peers send and do not read, and nothing is left of them", {
    timeout: 120_000,
  }, async () => {
    const server = await start();

    const junk = await server.connect(server.push);
    await flood(junk, Buffer.alloc(MIB, 7), FLOOD_BYTES);
    expect(await server.growth()).toBeLessThan(LIMIT);

    const fragments = await server.connect(server.push);
    fragments.socket.send(Buffer.alloc(3 * MIB), { fin: false });
    await flood(fragments, Buffer.alloc(MIB, 7), FLOOD_BYTES);
    expect(await server.growth()).toBeLessThan(LIMIT);

    // Each is answered, without any work, and no answer is read.
    const asking = await server.connect(server.pull);
    asking.send({ ...HELLO, maxPage: 2 ** 31 });
    await asking.next("hello_reply");
    asking.socket.pause();
    const range = encodeFrame({
      kind: "page_hash_batch",
      startPage: 2 ** 30,
      endPage: 2 ** 31,
      combinedHash: new Uint8Array(32),
    });
    await flood(asking, range, FLOOD_BYTES / 4);
    expect(await server.growth()).toBeLessThan(LIMIT);

    const pinging = await server.connect(server.pull);
    pinging.socket.pause();
    for (let ping = 0; ping < 300_000 && pinging.socket.readyState === 1; ping += 1) {
      pinging.socket.ping(Buffer.alloc(125));
      if (ping % 1_000 === 0) await delay(1);
    }
    expect(await server.growth()).toBeLessThan(LIMIT);

    // Those who ask for everything and never read.
    const deaf = await Promise.all(Array.from({ length: 6 }, () => server.connect(server.pull)));
    for (const peer of deaf) {
      peer.send(HELLO, { kind: "complete" });
      peer.socket.pause();
    }
    await delay(700);
    expect((await server.state()).active).toBeGreaterThanOrEqual(6);
    expect(await server.growth()).toBeLessThan(LIMIT);

    const idle = async () => (await server.state()).active === 0;
    await waitFor(idle, { timeoutMs: 15_000, everyMs: 100 });
    expect((await server.state()).errors).toEqual([]);
    server.child.writeLine("stop");
    expect(await server.child.exited).toEqual({ code: 0, signal: null });
  });
});
