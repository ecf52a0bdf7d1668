import { Hono } from "hono";
import { describe, expect, it, vi } from "vitest";
import { createSseChanges } from "../../src/feeds/sse-changes.js";
import { collection } from "../support/collection.js";
import { waitFor } from "../support/wait.js";
import { bearerRoles, startChangesHost } from "./changes-host.js";
import { readRaw } from "./raw-reader.js";
import { recordingHandler } from "./recording-handler.js";

const config = { version: 1 as const, collections: [collection("posts")] };
const event = (hash: string) => ({ collection: "posts", namespace: null, key: "posts/doc", hash, timestamp: 1 });

describe("GET /changes", () => {
  it("greets with `ready` and its heartbeat, then sends each write with an id of this server's epoch", async () => {
    const host = await startChangesHost();
    const reader = await readRaw(host.changesUrl);
    const { key, hash } = await host.push("posts/doc");
    await reader.heard(hash);
    expect(reader.headers.get("content-type")).toBe("text/event-stream");
    expect(reader.headers.get("cache-control")).toBe("no-store, no-transform");
    expect(reader.events).toEqual([
      { id: expect.stringMatching(/^[0-9a-f]{16}-0$/), event: "ready", data: { gap: true, heartbeatMs: 15_000 } },
      {
        id: expect.stringMatching(/^[0-9a-f]{16}-1$/),
        event: "change",
        data: { collection: "posts", namespace: null, key, hash, timestamp: expect.any(Number) },
      },
    ]);
  });

  it("announces the members of a bundle and templated documents by their own keys", async () => {
    const host = await startChangesHost({
      collections: [
        collection("a", { storagePath: "both/{id}", bundle: "both" }),
        collection("b", { storagePath: "both/{id}", bundle: "both" }),
        collection("users", { storagePath: "users/{user}/doc" }),
      ],
    });
    const reader = await readRaw(host.changesUrl);
    for (const key of ["both/1/a", "both/1/b", "users/ann/doc"]) await reader.heard((await host.push(key)).hash);
    expect(reader.events.slice(1).map(({ data }) => data.key)).toEqual(["both/1/a", "both/1/b", "users/ann/doc"]);
  });

  it("replays what came after Last-Event-ID, in order, and says that nothing is missing", async () => {
    const host = await startChangesHost();
    const first = await readRaw(host.changesUrl);
    const hashes: string[] = [];
    for (let n = 0; n < 4; n++) hashes.push((await host.push("posts/doc")).hash);
    await first.heard(hashes[3] ?? "");
    for (const [at, { id }] of first.events.entries()) {
      const again = await readRaw(host.changesUrl, { "last-event-id": id ?? "" });
      if (at < 4) await again.heard(hashes[3] ?? "");
      expect(again.events[0]).toMatchObject({ id, event: "ready", data: { gap: false } });
      expect(again.hashes).toEqual(hashes.slice(at));
    }
  });

  it("replays more than may wait for a slow reader", async () => {
    const host = await startChangesHost({ maxPendingBytes: 1_000 });
    const first = await readRaw(host.changesUrl);
    for (let n = 1; n <= 1_000; n++) await host.changes.publish(event(`hash ${n}`));
    const again = await readRaw(host.changesUrl, { "last-event-id": first.events[0]?.id ?? "" });
    await again.heard("hash 1000");
    expect(again.hashes).toHaveLength(1_000);
    expect(again.events[0]?.data.gap).toBe(false);
  });

  it.each([
    ["of another server's run", () => "0123456789abcdef-0"],
    ["that is garbage", () => "x".repeat(1_000)],
    ["from the future", (epoch: string) => `${epoch}-99`],
    ["that has left the buffer", (epoch: string) => `${epoch}-5`],
  ])("says that there is a gap after an id %s, and replays nothing", async (_which, id) => {
    const host = await startChangesHost({ bufferSize: 4 });
    const first = await readRaw(host.changesUrl);
    for (let n = 1; n <= 10; n++) await host.changes.publish(event(`hash ${n}`));
    await first.heard("hash 10");
    const epoch = first.lastId?.split("-")[0] ?? "";
    const again = await readRaw(host.changesUrl, { "last-event-id": id(epoch) });
    await host.changes.publish(event("new"));
    await again.heard("new");
    expect(again.hashes).toEqual(["new"]);
    expect(again.events[0]).toMatchObject({ id: `${epoch}-10`, event: "ready", data: { gap: true } });
    const oldest = await readRaw(host.changesUrl, { "last-event-id": `${epoch}-7` });
    expect(oldest.events[0]?.data.gap).toBe(false);
  });

  it("sends heartbeats, which move the id past events that the reader may not see", async () => {
    const host = await startChangesHost({
      collections: [collection("posts"), collection("staff", { readRoles: ["staff"] })],
      heartbeatMs: 20,
      bufferSize: 4,
    });
    const reader = await readRaw(host.changesUrl);
    await waitFor(() => reader.comments > 2);
    for (let n = 1; n <= 20; n++)
      await host.changes.publish({ ...event(`${n}`), collection: "staff", key: "staff/doc" });
    await waitFor(() => reader.lastId?.endsWith("-20"));
    const { comments } = reader;
    await waitFor(() => reader.comments > comments);
    expect(reader.hashes).toEqual([]);
    const again = await readRaw(host.changesUrl, { "last-event-id": reader.lastId ?? "" });
    expect(again.events[0]?.data.gap).toBe(false);
  });

  it("tells a reader about a burst that is larger than the buffer, and does not drop it", async () => {
    const host = await startChangesHost({ bufferSize: 8, maxPendingBytes: 500 });
    const reader = await readRaw(host.changesUrl);
    for (let n = 1; n <= 100; n++) void host.changes.publish(event(`${n}`));
    await waitFor(() => reader.events.filter((one) => one.event === "ready").length === 2);
    await host.changes.publish(event("after"));
    await reader.heard("after");
    expect(reader.events.findLast((one) => one.event === "ready")?.data.gap).toBe(true);
    expect(host.changes.subscribers).toBe(1);
  });

  it("sleeps through no event, however soon it comes after another", async () => {
    const host = await startChangesHost();
    const reader = await readRaw(host.changesUrl);
    for (let pause = 0; pause < 40; pause++) {
      void host.changes.publish(event(`first ${pause}`));
      for (let turn = 0; turn < pause; turn++) await null;
      void host.changes.publish(event(`second ${pause}`));
      await reader.heard(`second ${pause}`);
    }
  });

  it("ends a connection in order after its time, and the reader goes on where it was", async () => {
    const host = await startChangesHost({ maxConnectionMs: 100, heartbeatMs: 10 });
    const reader = await readRaw(host.changesUrl);
    await waitFor(() => reader.ended);
    expect(reader.ended).toBe(true);
    expect(host.changes.subscribers).toBe(0);
    const missed = await host.push("posts/doc");
    const again = await readRaw(host.changesUrl, { "last-event-id": reader.lastId ?? "" });
    await again.heard(missed.hash);
    expect(again.events[0]?.data.gap).toBe(false);
  });

  it("does not mind the wall clock jumping", async () => {
    const host = await startChangesHost({ heartbeatMs: 20 });
    const reader = await readRaw(host.changesUrl);
    vi.useFakeTimers({ toFake: ["Date"] });
    for (const jump of [365 * 86_400_000, -2 * 365 * 86_400_000]) {
      vi.setSystemTime(Date.now() + jump);
      const { comments } = reader;
      await waitFor(() => reader.comments > comments + 2);
    }
    vi.useRealTimers();
    await reader.heard((await host.push("posts/doc")).hash);
    expect(reader.ended).toBe(false);
  });

  it("answers 503 with Retry-After when there is no room, before it uses up a nonce", async () => {
    let asked = 0;
    const host = await startChangesHost({
      maxSubscribers: 2,
      roleResolver: async (context) => {
        asked += 1;
        return await bearerRoles(context);
      },
    });
    const [first] = [await readRaw(host.changesUrl), await readRaw(host.changesUrl)];
    const refused = await fetch(host.changesUrl);
    expect([refused.status, refused.headers.get("retry-after"), asked]).toEqual([503, "10", 2]);
    first?.close();
    await waitFor(() => host.changes.subscribers === 1);
    expect((await readRaw(host.changesUrl)).status).toBe(200);
  });

  it("lets go of a reader that leaves, at whatever moment", async () => {
    const host = await startChangesHost();
    for (let round = 0; round < 20; round++) {
      const abort = new AbortController();
      const answer = fetch(host.changesUrl, { signal: abort.signal }).catch(() => {});
      if (round % 2 === 0) await answer;
      else await waitFor(() => host.count() > round, { everyMs: 1 });
      abort.abort();
      await answer;
    }
    await waitFor(() => host.changes.subscribers === 0);
    await waitFor(() => host.requests.every(({ state }) => state !== "open"));
  });

  it("answers HEAD without a stream, and nothing but GET", async () => {
    const host = await startChangesHost();
    expect((await fetch(host.changesUrl, { method: "HEAD" })).status).toBe(200);
    expect((await fetch(host.changesUrl, { method: "POST" })).status).toBe(404);
    expect(host.changes.subscribers).toBe(0);
  });

  it("works where there is no node response: a stream of any runtime", async () => {
    const changes = createSseChanges({ config, roleResolver: bearerRoles, maxPendingBytes: 400, heartbeatMs: 50 });
    const app = new Hono().route("/v1", changes.routes);
    const stalled = (await app.request("/v1/changes")).body?.getReader();
    const reader = (await app.request("/v1/changes")).body?.getReader();
    const text = async () => new TextDecoder().decode((await reader?.read())?.value);
    expect(await text()).toContain("event: ready");
    await stalled?.read();
    for (let n = 1; n <= 5; n++) {
      await changes.publish(event(`${n}`));
      expect(await text()).toContain(`"hash":"${n}"`);
    }
    await waitFor(() => changes.subscribers === 1);
    await expect(stalled?.read()).rejects.toThrow("too slow");
    expect(changes.subscribers).toBe(1);
    await reader?.cancel();
    expect(changes.subscribers).toBe(0);
  });
});

describe("createSseChanges", () => {
  it("ends every stream with close(), so that the server can close, and takes no more readers", async () => {
    const host = await startChangesHost();
    const readers = [await readRaw(host.changesUrl), await readRaw(host.changesUrl)];
    await host.changes.close();
    await host.changes.close();
    await waitFor(() => readers.every(({ ended }) => ended === true));
    expect((await fetch(host.changesUrl)).status).toBe(503);
  });

  it("is a feed inside its own process too, whoever reads over HTTP", async () => {
    const host = await startChangesHost({ collections: [collection("staff", { readRoles: ["staff"] })] });
    const handler = recordingHandler();
    const end = new AbortController();
    host.changes.subscribe(handler, end.signal);
    await handler.gapped();
    const { hash } = await host.push("staff/doc");
    await handler.heard(hash);
    expect(handler.events).toEqual([expect.objectContaining({ key: "staff/doc", hash })]);
    end.abort();
  });

  it("never hands params on", async () => {
    const host = await startChangesHost({ collections: [collection("users", { storagePath: "users/{user}/doc" })] });
    const reader = await readRaw(host.changesUrl);
    await host.changes.publish({ ...event("1"), collection: "users", key: "", params: { user: "ann" } });
    await reader.heard("1");
    expect(reader.events[1]?.data).toEqual({ ...event("1"), collection: "users", key: "users/ann/doc" });
  });

  it("refuses to publish what is no event", async () => {
    const changes = createSseChanges({ config, roleResolver: bearerRoles });
    await expect(changes.publish({} as never)).rejects.toThrow(TypeError);
  });

  it("names every limit that cannot work", () => {
    expect(() =>
      createSseChanges({
        config,
        roleResolver: bearerRoles,
        bufferSize: 1.5,
        heartbeatMs: 0,
        maxPendingBytes: Number.NaN,
        maxSubscribers: -1,
        roleResolverTimeoutMs: Infinity,
      }),
    ).toThrow(/bufferSize[\s\S]*heartbeatMs[\s\S]*maxPendingBytes[\s\S]*maxSubscribers[\s\S]*roleResolverTimeoutMs/);
  });
});
