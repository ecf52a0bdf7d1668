import { describe, expect, it } from "vitest";
import type { RemoteConfig } from "../../src/config.js";
import { collection } from "../support/collection.js";
import { hostile } from "../support/hostile.js";
import { type Behaviour, startHostileServer } from "../support/hostile-server.js";
import { realDelay, realNow } from "../support/real-time.js";
import { remote, startReplica } from "../support/replica.js";
import { inCi } from "../support/size.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { waitFor } from "../support/wait.js";

const PATH = "/v1/pull/posts/doc";

describe("a primary that asks for patience", () => {
  async function setUp(overrides: Partial<RemoteConfig> = {}, fetchFn?: typeof fetch) {
    const server = await startHostileServer();
    server.on(PATH, hostile.document({ v: 1 }));
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: {
        posts: remote(server.url, "posts", { syncTriggers: ["scheduled", "on_pull"], intervalMs: 30, ...overrides }),
      },
      ...(fetchFn && { fetchFn }),
      backOff: { baseMs: 10, capMs: 50 },
    });
    await replica.manager.syncNow("posts");
    return { server, replica };
  }

  async function refuseOnce(retryAfter: () => number | Date, fetchFn?: typeof fetch) {
    const { server, replica } = await setUp({}, fetchFn);
    const startedAt = realNow();
    server.next((request, response) => hostile.tooManyRequests(retryAfter())(request, response));
    replica.manager.start();
    await waitFor(() => replica.errors.length === 1);
    const asked = server.count();
    // Reads of clients are no reason either, and are answered from the local copy at once.
    const before = realNow();
    for (let read = 0; read < 5; read++) {
      expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ v: 1 });
    }
    expect(realNow() - before).toBeLessThan(1_500);
    expect(server.count()).toBe(asked);
    const { error } = replica.errors[0] ?? {};
    expect(error).toMatchObject({ code: "PRIMARY_UNAVAILABLE", status: 429, retryable: true });
    expect(error?.retryAfterMs).toBeGreaterThan(2_500);
    await waitFor(() => server.count() > asked, { timeoutMs: 10_000 });
    return realNow() - startedAt;
  }

  it("is not asked again before the time it names, in seconds or as a date, by timer or by a client's read", async () => {
    const waits = await Promise.all([
      refuseOnce(() => 3),
      refuseOnce(() => new Date(Date.now() + 3_900)),
      refuseOnce(() => 3, fetch),
    ]);
    for (const wait of waits) expect(wait).toBeGreaterThan(2_500);
  });

  it("is asked again within the run when the time is short, and no sooner", async () => {
    const { server, replica } = await setUp();
    const arrivals: number[] = [];
    const noting =
      (behaviour: Behaviour): Behaviour =>
      (request, response) => {
        arrivals.push(realNow());
        return behaviour(request, response);
      };
    server.next(noting(hostile.tooManyRequests(1)), noting(hostile.document({ v: 2 })));
    await replica.manager.syncNow("posts");
    expect((arrivals[1] ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(990);
    expect(replica.errors).toEqual([]);
  });

  it("may be asked at once by syncNow, which is an operator's decision", async () => {
    const { server, replica } = await setUp();
    server.next(hostile.tooManyRequests(60));
    await expect(replica.manager.syncNow("posts")).rejects.toMatchObject({ status: 429, retryAfterMs: 60_000 });
    await replica.manager.syncNow("posts");
    expect(server.count()).toBe(3);
  });

  async function requestsWhile(sick: Behaviour): Promise<number> {
    const { server, replica } = await setUp({ intervalMs: 1, onPullMinIntervalMs: 0 });
    server.on(PATH, sick);
    const since = realNow();
    replica.manager.start();
    while (realNow() - since < 1_000) await replica.get("/pull/posts/doc");
    await replica.stop();
    return server.count() - 1;
  }

  it("is left in peace while it is sick, however short the interval and however many read", async () => {
    const requests = await Promise.all([
      requestsWhile(hostile.status(500)),
      requestsWhile(hostile.html()),
      requestsWhile(hostile.status(404)),
      requestsWhile(hostile.redirectLoop()).then((count) => count / 6),
    ]);
    // At most one run each 50 ms, which is this test's own back-off: the default's pauses are twenty times as long.
    for (const count of requests) expect(count).toBeLessThan(30);
  });
});

describe("a fleet of collections at a primary that is down", () => {
  it("makes few requests with the default back-off, and none after stop", async () => {
    const server = await startHostileServer();
    server.on("*", hostile.status(503));
    const names = Array.from({ length: 10 }, (_, index) => `c${index}`);
    const replica = await startReplica({
      collections: names.map((name) => collection(name)),
      remotes: Object.fromEntries(
        names.map((name) => [name, remote(server.url, name, { syncTriggers: ["scheduled"], intervalMs: 50 })]),
      ),
    });
    replica.manager.start();
    const asked = await realDelay(2_000).then(() => server.count());
    // Without back-off it would be 400.
    expect(asked).toBeGreaterThanOrEqual(names.length);
    expect(asked).toBeLessThanOrEqual(names.length * 9);
    await replica.stop();
    const stopped = server.count();
    await realDelay(100);
    expect(server.count()).toBe(stopped);
  });
});

describe("a line that goes and comes", () => {
  it.each((["refuse", "blackHole", "drip"] as const).slice(0, inCi ? 3 : 1))(
    "is used again after %s, without help",
    async (how) => {
      const server = await startHostileServer();
      server.on(PATH, hostile.document({ v: 1, filler: "x".repeat(5_000) }));
      const proxy = await startTcpProxy(server.port);
      const replica = await startReplica({
        collections: [collection("posts")],
        remotes: {
          posts: remote(`${proxy.origin}/v1`, "posts", {
            syncTriggers: ["scheduled"],
            intervalMs: 10,
            requestTimeoutMs: 300,
          }),
        },
        backOff: { baseMs: 10, capMs: 30 },
      });
      replica.manager.start();
      const has = (v: number) => async () => (await replica.get("/pull/posts/doc")).body.data.v === v;
      await waitFor(has(1));
      for (let round = 2; round < 4; round++) {
        server.on(PATH, hostile.document({ v: round, filler: "x".repeat(5_000) }));
        if (how === "drip") proxy.drip(10, 50);
        else await proxy[how]();
        const failures = replica.errors.length;
        await waitFor(() => replica.errors.length > failures);
        // The old connections stay dead: new ones must be made.
        await proxy.pass({ keepDead: true });
        await waitFor(has(round));
      }
    },
  );
});

describe("a delay that no timer can keep", () => {
  const impatient: ReadonlyArray<[string, Behaviour, { baseMs: number; capMs: number }]> = [
    ["30 days", hostile.tooManyRequests(2_592_000), { baseMs: 1, capMs: 1 }],
    ["30 years", hostile.tooManyRequests(999_999_999), { baseMs: 1, capMs: 1 }],
    ["the end of time", hostile.tooManyRequests("Fri, 31 Dec 9999 23:59:59 GMT"), { baseMs: 1, capMs: 1 }],
    ["a back-off of years", hostile.status(404), { baseMs: 1e12, capMs: 1e12 }],
  ];

  it("does not become a storm of requests", async () => {
    const counts = impatient.map(async ([, sick, backOff]) => {
      const server = await startHostileServer();
      server.on("*", sick);
      const replica = await startReplica({
        collections: [collection("posts")],
        remotes: { posts: remote(server.url, "posts", { syncTriggers: ["scheduled"], intervalMs: 1 }) },
        backOff,
      });
      replica.manager.start();
      await realDelay(400);
      return server.count();
    });
    expect(await Promise.all(counts)).toEqual(impatient.map(() => 1));
  });

  it("is no deadline that is over before it began", async () => {
    const server = await startHostileServer();
    server.on("*", async (request, response) => {
      await realDelay(50);
      return hostile.document({ n: 1 })(request, response);
    });
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(server.url, "posts", { requestTimeoutMs: 2 ** 31 - 1 }) },
    });
    await replica.manager.syncNow("posts");
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ n: 1 });
  });
});
