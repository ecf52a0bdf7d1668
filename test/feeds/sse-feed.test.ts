import type { ServerResponse } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { reconnectDelay } from "../../src/feeds/reconnect-delay.js";
import { createSseFeed, type SseFeedOptions } from "../../src/feeds/sse-feed.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { expectProcessEnds } from "../support/open-handles.js";
import { realDelay, realNow } from "../support/real-time.js";
import { waitFor } from "../support/wait.js";
import { change, feedAtServer, READY, stream } from "./feed-at-server.js";
import { recordingHandler } from "./recording-handler.js";

describe("createSseFeed", () => {
  it("ignores garbage between good events, reports it once, and has everything checked once", async () => {
    const garbage = [
      "event: change\ndata: not JSON\n\n",
      "event: change\ndata: {}\n\n",
      'event: change\ndata: {"collection":1,"namespace":null,"key":"a","hash":"b","timestamp":1}\n\n',
      'event: change\ndata: {"collection":"a","namespace":null,"key":"a","hash":"b","timestamp":"now"}\n\n',
      "event: change\ndata: [1,2,3]\n\n",
      "event: other\ndata: {}\n\n",
      "data: hello\n\n",
      "retry: soon\n",
      "\u0000\u0001\u0002\n\n",
    ].join("");
    const { handler, errors, server } = await feedAtServer(
      {},
      stream.open(Buffer.from(`\uFEFF${READY}${garbage}${change("1")}${garbage}${change("2")}`)),
    );
    await handler.heard("2");
    expect(handler.story).toEqual(["gap", "gap", "1", "2"]);
    expect(errors).toMatchObject([{ code: "ANSWER_INVALID" }]);
    expect(server.count()).toBe(1);
  });

  it("keeps from an event what a change event has, and nothing else", async () => {
    const event = { collection: "a", key: "k", hash: "h", timestamp: 1, params: { a: "b" }, extra: "x".repeat(100) };
    const { handler } = await feedAtServer(
      {},
      stream.open(`${READY}event: change\ndata: ${JSON.stringify(event)}\n\n`),
    );
    await handler.heard("h");
    expect(handler.events).toEqual([{ collection: "a", namespace: null, key: "k", hash: "h", timestamp: 1 }]);
  });

  it.each([
    ["an event comes before any greeting", change("1")],
    ["a heartbeat comes before any greeting", `:\n\n${change("1")}`],
    ["the greeting is garbage", `event: ready\ndata: {\n\n${change("1")}`],
  ])("takes it for a gap when %s", async (_what, text) => {
    const { handler } = await feedAtServer({}, stream.open(text));
    await handler.heard("1");
    expect(handler.story).toEqual(["gap", "1"]);
  });

  it("takes it for a gap when there is no greeting at all", async () => {
    const { handler, server } = await feedAtServer({ connectTimeoutMs: 300 }, stream.open("\n"));
    await handler.gapped();
    expect(server.count()).toBe(1);
  });

  it("gets past an event that it cannot take, instead of asking for it for ever", async () => {
    const { handler, server } = await feedAtServer(
      { maxEventLength: 500 },
      stream.open(READY + change("1", "e-1") + change("x".repeat(100_000), "e-2")),
    );
    await handler.gapped(2);
    expect(server.requests.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, undefined]);
  });

  it("passes on a gap that turns up in the course of a connection", async () => {
    const { handler } = await feedAtServer({}, stream.open(READY + change("1") + READY + change("2")));
    await handler.heard("2");
    expect(handler.story).toEqual(["gap", "1", "gap", "2"]);
  });

  it("sends back only ids that fit into a header", async () => {
    const ids = ["good-1", "bad\u0007", "x".repeat(300), "ü"];
    const { handler, server } = await feedAtServer({}, stream.ended(READY + ids.map((id) => change("1", id)).join("")));
    await handler.gapped(2);
    expect(server.requests[1]?.headers["last-event-id"]).toBe("good-1");
  });

  it("waits as long as the server wishes, within the limit", async () => {
    const { handler, server } = await feedAtServer({ reconnectCapMs: 150 }, stream.ended(`retry: 100000000\n${READY}`));
    const since = realNow();
    await handler.gapped(2);
    expect(realNow() - since).toBeGreaterThan(140);
    expect(server.count()).toBe(2);
    const busy = await feedAtServer({ reconnectCapMs: 150 }, hostile.tooManyRequests(3_600));
    const before = realNow();
    await busy.handler.gapped();
    expect(realNow() - before).toBeGreaterThan(140);
    expect(busy.errors).toMatchObject([{ retryAfterMs: 3_600_000 }]);
  });

  it("does not come back ever faster to a server that greets and ends", async () => {
    const { server, end } = await feedAtServer({ reconnectBaseMs: 20, reconnectCapMs: 30_000 });
    server.on("*", stream.ended(READY));
    await waitFor(() => server.count() >= 1);
    await realDelay(1_000);
    end.abort();
    // Upper bounds of 20, 40, 80 ... ms: with the luckiest dice about a dozen.
    expect(server.count()).toBeLessThan(25);
  });

  it("shares one connection among its subscribers and closes it with the last one", async () => {
    const server = await startHostileServer();
    server.on("*", stream.open(READY));
    const feed = createSseFeed({ url: `${server.url}/changes` });
    const end = new AbortController();
    const handlers = Array.from({ length: 10 }, recordingHandler);
    const subscriptions = handlers.map((handler) => feed.subscribe(handler, end.signal));
    for (const handler of handlers) await handler.gapped();
    expect(server.connections.total).toBe(1);
    for (const subscription of subscriptions.slice(1)) await subscription[Symbol.asyncDispose]();
    expect(server.connections.open).toBe(1);
    const since = realNow();
    end.abort();
    await subscriptions[0]?.[Symbol.asyncDispose]();
    await waitFor(() => server.connections.open === 0);
    expect(realNow() - since).toBeLessThan(500);
    expect(handlers.map(({ story }) => story)).toEqual(handlers.map(() => ["gap"]));
  });

  it("does not mind the wall clock jumping a day either way", async () => {
    let response: ServerResponse | undefined;
    const { handler, errors, server } = await feedAtServer({}, (request, given) => {
      response = given;
      stream.open('event: ready\ndata: {"gap":true,"heartbeatMs":300}\n\n')(request, given);
    });
    await handler.gapped();
    vi.useFakeTimers({ toFake: ["Date"] });
    for (const [i, jump] of [86_400_000, -172_800_000, 365 * 86_400_000].entries()) {
      vi.setSystemTime(Date.now() + jump);
      await realDelay(60);
      response?.write(change(`${i}`));
      await handler.heard(`${i}`);
    }
    vi.useRealTimers();
    expect(server.count()).toBe(1);
    expect(errors).toEqual([]);
    expect(handler.gaps).toBe(1);
  });

  it("signs each hop, and again after a clock was corrected", async () => {
    const signed: string[] = [];
    let corrections = 0;
    const auth = {
      sign: async ({ method, url }: { method: string; url: string }) => {
        signed.push(`${method} ${new URL(url).pathname}`);
        return { "X-Starfish-Nonce": `${signed.length}`, "X-Starfish-Ts": "1000" };
      },
      correctClock: (date: string | null, signedAtMs?: number) => {
        corrections += 1;
        return date !== null && signedAtMs === 1_000;
      },
    };
    const { handler, server, errors } = await feedAtServer(
      { auth },
      hostile.unauthorizedAt(new Date()),
      hostile.redirect("/v1/elsewhere", 307),
      stream.open(READY),
    );
    await handler.gapped();
    expect(signed).toEqual(["GET /v1/changes", "GET /v1/changes", "GET /v1/elsewhere"]);
    expect(server.requests.map(({ headers }) => headers["x-starfish-nonce"])).toEqual(["1", "2", "3"]);
    expect([corrections, errors]).toEqual([1, []]);
  });

  it("only listens", async () => {
    const feed = createSseFeed({ url: "http://127.0.0.1:1/v1/changes" });
    const event = { collection: "posts", namespace: null, key: "posts/doc", hash: "1", timestamp: 1 };
    await expect(feed.publish(event)).rejects.toMatchObject({
      code: "INVALID_CONFIGURATION",
      message: expect.stringContaining("only listens"),
    });
  });

  it.each<[Partial<SseFeedOptions>, RegExp]>([
    [{ url: "changes" }, /url must be an absolute URL/],
    [{ url: "ftp://a/changes" }, /not ftp:/],
    [{ url: "http://me:secret@a/changes" }, /must not carry credentials/],
    [{ headers: { Authorization: "Bearer secret\n" } }, /headers: "Authorization" cannot be sent/],
    [{ connectTimeoutMs: Infinity, reconnectBaseMs: 0 }, /connectTimeoutMs[\s\S]*reconnectBaseMs/],
  ])("refuses %j, without repeating a secret", (options, message) => {
    const make = () => createSseFeed({ url: "http://a/changes", ...options });
    expect(make).toThrow(message);
    expect(make).not.toThrow(/secret/);
  });

  it.each(["greets and stays", "never answers", "refuses", "is sick"])(
    "leaves nothing that keeps the process alive, at a server that %s",
    async (how) => {
      const server = await startHostileServer();
      server.on(
        "*",
        how === "greets and stays" ? stream.open(READY) : how === "is sick" ? hostile.status(503) : hostile.silence(),
      );
      const url = how === "refuses" ? "http://127.0.0.1:1/changes" : `${server.url}/changes`;
      for (const leave of ["dispose", "abort"]) {
        const { afterMs } = await expectProcessEnds("test/feeds/leaving-child.ts", {
          args: [url, leave],
          withinMs: 1_000,
        });
        expect(afterMs).toBeLessThan(1_000);
      }
    },
  );
});

describe("reconnectDelay", () => {
  it("is spread over all of a bound that doubles up to the cap, above what the server wishes", () => {
    const options = { reconnectBaseMs: 250, reconnectCapMs: 30_000 };
    const most = (failures: number, wishMs = 0) =>
      Math.max(...Array.from({ length: 2_000 }, () => reconnectDelay(failures, wishMs, options)));
    for (const [failures, bound] of [
      [1, 250],
      [2, 500],
      [4, 2_000],
      [8, 30_000],
      [1_000, 30_000],
    ] as const) {
      expect(most(failures)).toBeLessThanOrEqual(bound);
      expect(most(failures)).toBeGreaterThan(bound * 0.9);
    }
    const wished = Array.from({ length: 200 }, () => reconnectDelay(1, 2_000, options));
    expect(Math.min(...wished)).toBeGreaterThanOrEqual(2_000);
    expect(new Set(wished).size).toBeGreaterThan(50);
    expect(most(1, 1e9)).toBeLessThanOrEqual(30_250);
  });
});
