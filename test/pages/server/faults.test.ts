import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { encodeFrame } from "../../../src/pages/protocol/encode-frame.js";
import { PAGE_EVENTS, type PageEvent } from "../../../src/pages/server/page-events.js";
import { atEnd } from "../../support/at-end.js";
import { inCi, size } from "../../support/size.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { tempDir } from "../../support/temp-dir.js";
import { deferred, waitFor } from "../../support/wait.js";
import { connectRawPeer } from "./raw-peer.js";
import { answerRequests, FRESH, makeDatabase, pageOf, pullWhole, pushWhole } from "./simple-sync.js";
import { startSyncServer } from "./sync-server.js";

const dir = tempDir();
const small = makeDatabase(join(dir, "small.db"), { pages: 60 });
const large = makeDatabase(join(dir, "large.db"), { pages: 4_000 });

const HELLO = { kind: "hello", protocolVersion: 1, pageSize: 4096, maxPage: 0, extension: FRESH } as const;

describe("a peer that does nothing", () => {
  it("is cut off when it says nothing, whether it answers pings or not", async () => {
    const server = await startSyncServer({ dir: tempDir(), parts: { idleMs: 300 } });
    const silent = await connectRawPeer(server.url, server.token("pull"));
    const pinging = await connectRawPeer(server.url, server.token("push"));
    const pings = setInterval(() => pinging.socket.ping(), 20);
    atEnd(() => clearInterval(pings));
    const since = performance.now();
    expect(await silent.refusal()).toEqual({ message: expect.stringContaining("0.3 seconds"), code: 1008 });
    expect(await pinging.refusal()).toEqual({ message: expect.stringContaining("0.3 seconds"), code: 1008 });
    expect(performance.now() - since).toBeGreaterThan(150);
    expect(server.endpoint.active).toBe(0);
    expect(server.errors).toEqual([]);
  });

  it.runIf(inCi)("is cut off when it takes nothing, and one that takes slowly is not", async () => {
    const server = await startSyncServer({ dir: tempDir(), parts: { idleMs: 1_500 } });
    await pushWhole(await connectRawPeer(server.url, server.token("push")), large, 4096);
    const deaf = await connectRawPeer(server.url, server.token("pull"));
    deaf.send(HELLO, { kind: "complete" });
    deaf.socket.pause();
    const proxy = await startTcpProxy(server.port);
    const slow = await connectRawPeer(`ws://127.0.0.1:${proxy.port}/sync`, server.token("pull"));
    // 16 MiB in about 3 seconds; what the system keeps on the way hides a part of each second.
    proxy.drip(128 * 1024, 20);
    const since = performance.now();
    const pulled = await pullWhole(slow);
    expect(pulled.file.equals(large)).toBe(true);
    expect(performance.now() - since).toBeGreaterThan(2_000);
    await waitFor(() => server.endpoint.active === 0);
    expect(server.errors).toEqual([]);
  });

  it("is not cut off while it waits for the server", async () => {
    const server = await startSyncServer({
      dir: tempDir(),
      parts: {
        idleMs: 100,
        quota: {
          async reserve() {
            await delay(400);
            return () => {};
          },
        },
      },
    });
    const pushed = await pushWhole(await connectRawPeer(server.url, server.token("push")), small, 4096);
    expect(pushed.extension?.generation).toBe(1);
  });
});

describe("a peer that sends faster than the server works", () => {
  it("is not read any further until that has caught up", async () => {
    const go = deferred();
    const server = await startSyncServer({
      dir: tempDir(),
      parts: {
        quota: {
          async reserve() {
            await go.promise;
            return () => {};
          },
        },
      },
    });
    const proxy = await startTcpProxy(server.port);
    const peer = await connectRawPeer(`ws://127.0.0.1:${proxy.port}/sync`, server.token("push"));
    peer.send({ ...HELLO, maxPage: large.byteLength / 4096 });
    const batch = Array.from({ length: 256 }, (_, index) => pageOf(large, 4096, index + 1));
    for (let sent = 0; sent < 64; sent += 1) peer.send({ kind: "page_data_batch", pages: batch });
    // What the system keeps on the way is some MiB; of 64 most stay where they are.
    const passed: number[] = [];
    const rests = () => {
      passed.unshift(proxy.bytes.up);
      return passed[0] !== 0 && passed[0] === passed[10];
    };
    await waitFor(rests, { everyMs: 30 });
    expect(proxy.bytes.up).toBeLessThan(40 * 1024 * 1024);
    go.resolve();
    expect(await peer.refusal()).toMatchObject({ code: 1002 });
  });
});

describe("a connection that breaks", () => {
  it("during a push leaves what was stored, and lets the next push send only what is missing", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    await pushWhole(await connectRawPeer(server.url, server.token("push")), small, 4096);
    const peer = await connectRawPeer(server.url, server.token("push"));
    const maxPage = large.byteLength / 4096;
    const from = { database: "d-1", generation: 1, force: false };
    peer.send({ ...HELLO, maxPage, extension: from }, { kind: "complete" });
    await peer.next("hello_reply");
    const { pageNumbers } = await peer.next("request_pages");
    const sent = pageNumbers.slice(0, 200);
    peer.send({ kind: "page_data_batch", pages: sent.map((pageNo) => pageOf(large, 4096, pageNo)) });
    await waitFor(() => peer.socket.bufferedAmount === 0);
    peer.socket.close();
    await waitFor(() => server.endpoint.active === 0);
    expect(server.commits).toHaveLength(1);
    const stored = await pullWhole(await connectRawPeer(server.url, server.token("pull")));
    expect(stored.file.equals(small)).toBe(true);
    const again = await connectRawPeer(server.url, server.token("push"));
    again.send({ ...HELLO, maxPage, extension: from });
    await again.next("hello_reply");
    const { blake3 } = await import("hash-wasm");
    for (const pageNo of sent) {
      const hash = Buffer.from(await blake3(pageOf(large, 4096, pageNo).data), "hex");
      again.send({ kind: "page_hash", pageNo, hash });
    }
    again.send({ kind: "complete" });
    const done = await answerRequests(again, large, 4096);
    expect(done.pagesTransferred).toBeLessThanOrEqual(maxPage - sent.length);
    expect((await pullWhole(await connectRawPeer(server.url, server.token("pull")))).file.equals(large)).toBe(true);
  });

  it("at any moment leaves one of the whole versions, no session and no failure", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    const proxy = await startTcpProxy(server.port);
    const url = `ws://127.0.0.1:${proxy.port}/sync`;
    const versions = ["a", "b", "c"].map((mark) => makeDatabase(join(dir, `${mark}.db`), { pages: 300, mark }));
    const first = versions[0] as Buffer;
    await pushWhole(await connectRawPeer(server.url, server.token("push")), first, 4096);
    for (let round = 0; round < size({ test: 24, ci: 100, soak: 2_000 }); round += 1) {
      const next = versions[round % versions.length] as Buffer;
      const push = async () => pushWhole(await connectRawPeer(url, server.token("push")), next, 4096, { force: true });
      const pull = async () => pullWhole(await connectRawPeer(url, server.token("pull")));
      const running = Promise.allSettled([push(), pull()]);
      await delay(Math.random() * 25);
      proxy.cut(round % 2 === 0 ? "reset" : "end");
      await running;
      const { file } = await pullWhole(await connectRawPeer(server.url, server.token("pull")));
      expect(versions.some((version) => version.equals(file))).toBe(true);
    }
    await waitFor(() => server.endpoint.active === 0);
    expect(server.errors).toEqual([]);
  });

  it("that is half open and ends without a close frame ends the sync", async () => {
    const events: PageEvent[] = [];
    const { subscribe, unsubscribe } = await import("node:diagnostics_channel");
    const add = (event: unknown) => events.push(event as PageEvent);
    subscribe(PAGE_EVENTS, add);
    atEnd(() => unsubscribe(PAGE_EVENTS, add));
    const server = await startSyncServer({ dir: tempDir() });
    const peer = await connectRawPeer(server.url, server.token("push"));
    peer.send({ ...HELLO, maxPage: 60 });
    await peer.next("hello_reply");
    const raw = (peer.socket as unknown as { _socket: import("node:net").Socket })._socket;
    raw.write(encodeFrame({ kind: "complete" }).subarray(0, 3));
    raw.end();
    await once(peer.socket, "close");
    await waitFor(() => server.endpoint.active === 0);
    await waitFor(() => events.some((event) => event.event === "end"));
    expect(server.errors).toEqual([]);
  });
});
