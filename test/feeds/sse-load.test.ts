import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { createSseFeed } from "../../src/feeds/sse-feed.js";
import { atEnd } from "../support/at-end.js";
import { buildOnce } from "../support/build-once.js";
import { spawnNode } from "../support/child.js";
import { realNow } from "../support/real-time.js";
import { inCi, size } from "../support/size.js";
import { waitFor } from "../support/wait.js";
import { startChangesHost } from "./changes-host.js";
import { stallReader } from "./raw-reader.js";
import { subscribed } from "./recording-handler.js";

interface Report {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly cpuMs: number;
  readonly subscribers: number;
}

const MIB = 1024 * 1024;

async function startChild() {
  const child = spawnNode(await buildOnce("test/feeds/changes-child.ts"), [], { nodeArgs: ["--expose-gc"] });
  const port = Number((await child.waitForLine(/^port (\d+)$/))[1]);
  const tell = async (command: string): Promise<Report> => {
    child.writeLine(command);
    return JSON.parse((await child.waitForLine(/^\{.*\}$/, 60_000))[0]);
  };
  return { port, tell };
}

/** A reader on a bare socket, which costs the test's own process little. */
async function openReader(port: number): Promise<{ socket: Socket; text: string }> {
  const socket = connect(port, "127.0.0.1");
  atEnd(() => socket.destroy());
  const reader = { socket, text: "" };
  socket.setEncoding("utf8").on("data", (text: string) => {
    // Only the end matters.
    reader.text = (reader.text + text).slice(-2_000);
  });
  socket.write(`GET /v1/changes HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  await once(socket, "data");
  return reader;
}

describe("a primary with many readers", () => {
  const count = size({ test: 50, ci: 500, soak: 500 });

  it(`serves ${count} of them, each for little memory and, while nothing happens, next to no CPU`, async () => {
    const { port, tell } = await startChild();
    await openReader(port);
    const before = await tell("report");
    const readers = await Promise.all(Array.from({ length: count }, () => openReader(port)));
    const connected = await tell("report");
    expect(connected.subscribers).toBe(count + 1);
    // What the first requests of a process cost besides, spread over few readers, is not the readers'.
    expect(connected.heapUsed - before.heapUsed).toBeLessThan(5 * MIB + count * 64 * 1024);
    const published = await tell("publish 20");
    const since = realNow();
    const last = `"hash":"${"20".padStart(64, "0")}"`;
    for (const reader of readers) await waitFor(() => reader.text.includes(last), { everyMs: 1, timeoutMs: 20_000 });
    expect(realNow() - since).toBeLessThan(5_000);
    const settled = await tell("report");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const idle = await tell("report");
    expect(idle.cpuMs - settled.cpuMs).toBeLessThan(500);
    expect(published.subscribers).toBe(count + 1);
    for (const { socket } of readers) socket.destroy();
    await waitFor(async () => (await tell("report")).subscribers === 1);
    const after = await tell("report");
    expect(after.heapUsed - before.heapUsed).toBeLessThan(5 * MIB);
  }, 60_000);
});

describe("a reader that reads no more", () => {
  it.runIf(inCi)(
    "is dropped, its memory with it, while the others get everything",
    async () => {
      const { port, tell } = await startChild();
      const feed = createSseFeed({ url: `http://127.0.0.1:${port}/v1/changes` });
      const healthy = await subscribed(feed);
      await tell("publish 2000");
      const before = await tell("report");
      const stalled = await Promise.all(Array.from({ length: 5 }, () => stallReader(port)));
      const closed = stalled.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
      let most = await tell("report");
      expect(most.subscribers).toBe(6);
      let published = 2_000;
      // The system takes a few MiB for each of them before the connection is full.
      for (; most.subscribers !== 1 && published < 1_000_000; published += 500) {
        most = await tell("publish 500");
        await waitFor(() => healthy.events.length >= published + 500, { everyMs: 0 });
        expect(most.heapUsed + most.external - before.heapUsed - before.external).toBeLessThan(16 * MIB);
      }
      expect(most.subscribers).toBe(1);
      await waitFor(() => healthy.events.length === published);
      expect(healthy.gaps).toBe(1);
      for (const socket of stalled) socket.resume();
      await Promise.all(closed);
    },
    60_000,
  );

  it("is dropped when it falls behind the buffer, and comes back to a gap", async () => {
    const host = await startChangesHost({ bufferSize: 50, maxPendingBytes: 1024 * MIB });
    const healthy = await subscribed(createSseFeed({ url: host.changesUrl }));
    const stalled = await stallReader(host.port);
    for (let n = 0; host.changes.subscribers > 1 && n < 100_000; n++) {
      for (let m = 0; m < 40; m++) {
        const key = `posts/${"x".repeat(4_000)}`;
        await host.changes.publish({ collection: "posts", namespace: null, key, hash: "", timestamp: 1, params: {} });
      }
      const heard = `${n}`;
      await host.changes.publish({ collection: "posts", namespace: null, key: "posts/doc", hash: heard, timestamp: 1 });
      await healthy.heard(heard);
    }
    expect(host.changes.subscribers).toBe(1);
    expect(healthy.gaps).toBe(1);
    stalled.destroy();
  }, 60_000);
});
