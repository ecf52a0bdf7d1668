import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { describe, expect, it } from "vitest";
import type { RemoteConfig } from "../../src/config.js";
import { collection } from "../support/collection.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { startPrimary } from "../support/primary.js";
import { realNow } from "../support/real-time.js";
import { remote, startReplica } from "../support/replica.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { waitFor } from "../support/wait.js";

const PULL = "/v1/pull/posts/doc";
const PUSH = "/v1/push/posts/doc";

async function startForwarding(
  url: string,
  overrides: Partial<RemoteConfig> = {},
  options: { fetchFn?: typeof fetch } = {},
) {
  const data = new Map<string, string>();
  const replica = await startReplica({
    collections: [collection("posts")],
    remotes: { posts: remote(url, "posts", { writeMode: "push_through", ...overrides }) },
    store: new MemoryObjectStore(data),
    backOff: { baseMs: 10, capMs: 50 },
    ...options,
  });
  const push = (document: Record<string, unknown>, baseHash: string | null = null) =>
    replica.push("/push/posts/doc", { data: document, baseHash });
  return { replica, data, push, stored: () => JSON.parse(data.get("posts/doc") ?? "null") };
}

describe.each([
  ["our own client", {}],
  ["fetch", { fetchFn: fetch }],
] as const)("a forwarded push over a bad line, through %s", (_name, options) => {
  async function setUp(overrides: Partial<RemoteConfig> = {}) {
    const primary = await startPrimary();
    const proxy = await startTcpProxy(primary.port);
    const forwarding = await startForwarding(`${proxy.origin}/v1`, overrides, options);
    return { primary, proxy, ...forwarding };
  }

  it("whose answer was lost is settled by a pull and answered 200, and was sent once", async () => {
    const { primary, proxy, push, stored } = await setUp();
    const first = await push({ n: 1 });
    // The line breaks in the answer's head, and is well again when it has broken once more under the question what became of it.
    proxy.resetAfter(20);
    const before = proxy.connections.total;
    const pushed = push({ n: 2 }, first.body.hash);
    await waitFor(() => proxy.connections.total > before, { everyMs: 1 });
    await waitFor(() => primary.pushes.length === 2, { everyMs: 1 });
    await proxy.pass();
    const { status, body } = await pushed;
    const { hash } = await primary.read("posts");
    expect(status).toBe(200);
    expect(body).toEqual({ hash, timestamp: expect.any(Number) });
    expect(primary.pushes).toHaveLength(2);
    expect(stored()).toMatchObject({ data: { n: 2 }, hash });
  });

  it("whose connection is refused is tried again until it is let in, and sent once", async () => {
    const { primary, proxy, push, stored } = await setUp();
    await proxy.refuse();
    const pushed = push({ n: 1 });
    await proxy.pass();
    expect((await pushed).status).toBe(200);
    expect(primary.pushes).toHaveLength(1);
    expect(stored().data).toEqual({ n: 1 });
  });

  it("whose connection is refused for good is answered 502, told to onError, and nothing is stored here", async () => {
    const { replica, proxy, push, data } = await setUp();
    await proxy.refuse();
    const { status, body } = await push({ n: 1 });
    expect([status, body]).toEqual([502, { error: "Failed to reach primary" }]);
    expect(replica.errors).toEqual([
      { name: "posts", error: expect.objectContaining({ code: "PRIMARY_UNREACHABLE", retryable: true }) },
    ]);
    expect(replica.errors[0]?.error.message).toContain(`${proxy.origin}${PUSH}`);
    expect(data.size).toBe(0);
    await proxy.pass();
    expect((await push({ n: 1 })).status).toBe(200);
  });
});

describe("a forwarded push whose answer was lost", () => {
  it("into a black hole is answered 504 within the deadline and five seconds more", async () => {
    const primary = await startPrimary();
    const proxy = await startTcpProxy(primary.port);
    const { replica, push, data } = await startForwarding(`${proxy.origin}/v1`, { requestTimeoutMs: 200 });
    await push({ n: 1 });
    const before = data.get("posts/doc");
    proxy.blackHole();
    const since = realNow();
    const { status, body } = await push({ n: 2 });
    expect(realNow() - since).toBeLessThan(200 + 5_000 + 1_000);
    expect(status).toBe(504);
    expect(body.error).toMatch(/unknown/);
    expect(replica.errors[0]?.error).toMatchObject({ code: "PRIMARY_TIMEOUT" });
    expect(data.get("posts/doc")).toBe(before);
  });

  async function setUp(overrides: Partial<RemoteConfig> = {}) {
    const server = await startHostileServer();
    const forwarding = await startForwarding(server.url, overrides);
    const pushes = () => server.count({ path: PUSH });
    return { server, pushes, ...forwarding };
  }

  it.each([
    ["cut in the body", hostile.truncated("content-length")],
    ["reset", hostile.hangUp("reset")],
    ["ended", hostile.hangUp("end")],
    ["too large", hostile.oversize("declared")],
    ["late", hostile.silence()],
    ["stuck in the body", hostile.headThenSilence()],
  ])("is answered 200 when the primary turns out to have it (%s)", async (_how, behaviour) => {
    const { server, push, pushes, stored } = await setUp({ requestTimeoutMs: 200, maxDocumentBytes: 10_000 });
    server.on(PUSH, (request, response) => {
      server.on(PULL, hostile.document({ n: 1 }));
      return behaviour(request, response);
    });
    const { status, body } = await push({ n: 1 });
    expect(status).toBe(200);
    expect(body).toEqual({ hash: stored().hash, timestamp: expect.any(Number) });
    expect(pushes()).toBe(1);
  });

  it("is sent again when the primary still has what it was to replace", async () => {
    const { server, push, pushes } = await setUp();
    server.on(PULL, hostile.text('{"data":{},"hash":"","timestamp":0}'));
    server.next(hostile.hangUp());
    server.on(PUSH, hostile.status(200, {}, { hash: "h", timestamp: 1 }));
    expect((await push({ n: 1 })).body).toEqual({ hash: "h", timestamp: 1 });
    expect(pushes()).toBe(2);
  });

  it("is answered 409 when the primary has something else by now, and the local copy is in step with that", async () => {
    const { server, push, pushes, stored } = await setUp();
    server.on(PUSH, hostile.hangUp());
    server.on(PULL, hostile.document({ theirs: 1 }));
    const { status, body } = await push({ n: 1 });
    expect([status, body]).toEqual([409, { error: "hash_mismatch" }]);
    expect(pushes()).toBe(1);
    expect(stored().data).toEqual({ theirs: 1 });
  });

  it("is answered 502 when the primary does not say what it has, and is not sent again", async () => {
    const { server, push, pushes, data } = await setUp();
    server.on(PUSH, hostile.hangUp());
    server.on(PULL, hostile.html());
    expect((await push({ n: 1 })).status).toBe(502);
    expect(pushes()).toBe(1);
    expect(data.size).toBe(0);
  });

  it("is answered 502 in the end when it never arrives, after few tries", async () => {
    const { server, push, pushes } = await setUp();
    server.on(PUSH, hostile.hangUp());
    server.on(PULL, hostile.text('{"data":{},"hash":"","timestamp":0}'));
    expect((await push({ n: 1 })).status).toBe(502);
    expect(pushes()).toBe(3);
  });

  it("is sent once when it is no push that we understand", async () => {
    const { server, replica, pushes } = await setUp();
    server.on(PUSH, hostile.hangUp());
    expect((await replica.push("/push/posts/doc", "no json")).status).toBe(502);
    expect(pushes()).toBe(1);
  });
});

describe("a forwarded push that the primary answers", () => {
  async function setUp() {
    const server = await startHostileServer();
    server.on(PULL, hostile.document({ theirs: 1 }));
    return { server, ...(await startForwarding(server.url)) };
  }

  it.each([
    [400, { error: "Missing or invalid data" }],
    [401, { error: "Unauthorized" }],
    [403, { error: "author_mismatch", detail: [1, 2] }],
    [404, { error: "Not found" }],
    [409, { error: "hash_mismatch" }],
    [413, { error: "Payload too large" }],
    [422, ["a", "list"]],
    [429, { error: "slow down" }],
    [500, { error: "Internal error" }],
    [503, { error: "maintenance" }],
  ])("with %i is relayed, status and body, sent once, and is no error of ours", async (status, answer) => {
    const { server, replica, push, data } = await setUp();
    server.on(PUSH, hostile.status(status, {}, answer));
    const relayed = await push({ n: 1 });
    expect([relayed.status, relayed.body]).toEqual([status, answer]);
    expect(server.count({ path: PUSH })).toBe(1);
    expect(replica.errors).toEqual([]);
    // Only a lost race says that the local copy is behind.
    expect(data.size).toBe(status === 409 ? 1 : 0);
  });

  it.each([
    [400, hostile.text("bad", 400, { "content-type": "text/plain" })],
    [500, hostile.html(500)],
    [502, hostile.text("", 502)],
    [503, hostile.text('{"error":', 503)],
  ])("with %i and no JSON keeps the status, in JSON", async (status, behaviour) => {
    const { server, push, data } = await setUp();
    server.on(PUSH, behaviour);
    const relayed = await push({ n: 1 });
    expect([relayed.status, relayed.body]).toEqual([
      status,
      { error: `The primary answered ${status} without a JSON body` },
    ]);
    expect(data.size).toBe(0);
  });

  it("with success under another hash than ours is relayed, and the local copy is what the primary has", async () => {
    const { server, push, stored } = await setUp();
    server.on(PUSH, hostile.status(200, {}, { hash: "other", timestamp: 5 }));
    expect((await push({ n: 1 })).body).toEqual({ hash: "other", timestamp: 5 });
    expect(stored().data).toEqual({ theirs: 1 });
  });

  it("with success and then falls ill is relayed: the copy is mended later", async () => {
    const { server, push, replica, stored } = await setUp();
    server.on(PUSH, hostile.status(200, {}, { hash: "other", timestamp: 5 }));
    server.on(PULL, hostile.status(404));
    expect((await push({ n: 1 })).status).toBe(200);
    expect(replica.errors).toMatchObject([{ error: { code: "PRIMARY_REFUSED" } }]);
    server.on(PULL, hostile.document({ theirs: 2 }));
    await replica.manager.syncNow("posts");
    expect(stored().data).toEqual({ theirs: 2 });
  });

  it("late, after its success could not be shown within onPullMaxWaitMs, does not wait for ever", async () => {
    const server = await startHostileServer();
    server.on(PUSH, hostile.status(200, {}, { hash: "other", timestamp: 5 }));
    server.on(PULL, hostile.silence());
    const { push } = await startForwarding(server.url, { onPullMaxWaitMs: 100, requestTimeoutMs: 60_000 });
    const since = realNow();
    expect((await push({ n: 1 })).status).toBe(200);
    expect(realNow() - since).toBeLessThan(2_000);
  });
});

describe("a forwarded push answered with success that is none", () => {
  it.each([
    ["a web page", hostile.html(200)],
    ["204", hostile.status(204)],
    ["304", hostile.status(304)],
    ["a redirect that drops the body", hostile.redirect("/v1/elsewhere", 303)],
    ["JSON without a hash", hostile.status(200, {}, { ok: true })],
    ["JSON cut short", hostile.contentLengthTooSmall()],
    ["an encoding that was not asked for", hostile.text("{}", 200, { "content-encoding": "snappy" })],
    ["bytes that are no UTF-8", hostile.text(Buffer.from([0x22, 0xff, 0x22]))],
  ])("is not passed off as stored, nor as lost where it was stored: %s", async (_what, behaviour) => {
    const server = await startHostileServer();
    const { push, data, replica } = await startForwarding(server.url);
    server.on(PUSH, behaviour);
    server.on(PULL, hostile.text('{"data":{},"hash":"","timestamp":0}'));
    expect((await push({ n: 1 })).status).toBe(502);
    expect(data.size).toBe(0);
    expect(replica.errors).toMatchObject([{ error: { code: "ANSWER_INVALID" } }]);
    const before = server.count({ path: PUSH });
    server.on(PUSH, (request, response) => {
      server.on(PULL, hostile.document({ n: 1 }));
      return behaviour(request, response);
    });
    expect((await push({ n: 1 })).status).toBe(200);
    expect(server.count({ path: PUSH })).toBe(before + 1);
  });
});
