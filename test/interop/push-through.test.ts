import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { describe, expect, it } from "vitest";
import { collection } from "../support/collection.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { startPrimary } from "../support/primary.js";
import { remote, startReplica } from "../support/replica.js";
import { waitFor } from "../support/wait.js";

describe("a push_through collection", () => {
  async function setUp(primaryCollection = collection("posts"), local = collection("posts")) {
    const primary = await startPrimary({ collections: [primaryCollection] });
    const data = new Map<string, string>();
    const replica = await startReplica({
      collections: [local],
      remotes: { posts: remote(primary.url, "posts", { writeMode: "push_through" }) },
      store: new MemoryObjectStore(data),
    });
    const stored = () => JSON.parse(data.get("posts/doc") ?? "null");
    return { primary, replica, stored };
  }

  it("forwards the body as it came, relays the answer, and is in step when the answer goes out", async () => {
    const { primary, replica, stored } = await setUp();
    const body = '{ "baseHash":null,"data": {"title":"é","n":1.0} }';
    const { status, body: answer } = await replica.push("/push/posts/doc", body);
    expect(status).toBe(200);
    expect(primary.pushes[0]?.rawBody).toBe(body);
    const { hash } = await primary.read("posts");
    expect(answer).toMatchObject({ hash, timestamp: expect.any(Number) });
    expect(stored()).toMatchObject({ data: { title: "é", n: 1 }, hash });
  });

  it("takes over an accepted write without asking the primary again, where nothing of it can be hidden from us", async () => {
    const { primary, replica, stored } = await setUp();
    const first = await replica.push("/push/posts/doc", { data: { n: 1 }, baseHash: null });
    const pulls = primary.count("GET");
    const second = await replica.push("/push/posts/doc", { data: { n: 2 }, baseHash: first.body.hash });
    expect(stored()).toMatchObject({ data: { n: 2 }, hash: second.body.hash });
    expect(primary.count("GET")).toBe(pulls);
    await replica.manager.syncNow("posts");
    expect(primary.requests.at(-1)?.status).toBe(304);
  });

  it("never shows its readers a field that the primary hides from it, also when a client writes that field", async () => {
    const { replica, stored, primary } = await setUp(
      collection("posts", { fieldPermissions: { secret: { readRoles: ["admin"] } } }),
    );
    const first = await replica.push("/push/posts/doc", { data: { a: 1 }, baseHash: null });
    const second = await replica.push("/push/posts/doc", { data: { a: 1, secret: "s" }, baseHash: first.body.hash });
    expect(second.status).toBe(200);
    expect((await primary.read("posts")).data).toEqual({ a: 1, secret: "s" });
    expect(stored()).toMatchObject({ data: { a: 1 }, hash: second.body.hash });
    const third = await replica.push("/push/posts/doc", { data: { a: 2, secret: "t" }, baseHash: second.body.hash });
    expect(stored()).toMatchObject({ data: { a: 2 }, hash: third.body.hash });
  });

  it("relays the primary's refusal, status and body, and fetches what the client was missing", async () => {
    const { primary, replica, stored } = await setUp();
    const hash = await primary.write("posts", { other: true });
    const { status, body } = await replica.push("/push/posts/doc", { data: { n: 1 }, baseHash: null });
    expect(status).toBe(409);
    expect(body).toEqual({ error: "hash_mismatch" });
    expect(stored()).toMatchObject({ data: { other: true }, hash });
    const malformed = await replica.push("/push/posts/doc", "not json");
    expect(malformed.status).toBe(400);
    expect(malformed.body).toEqual({ error: "Body must be a JSON object" });
    const shapeless = await replica.push("/push/posts/doc", { data: [1], baseHash: null });
    expect([shapeless.status, shapeless.body]).toEqual([400, { error: "Missing or invalid data" }]);
  });

  it("does not forward a body over the collection's own limit", async () => {
    const { primary, replica } = await setUp(collection("posts"), collection("posts", { maxBodyBytes: 100 }));
    const { status, body } = await replica.push("/push/posts/doc", { data: { text: "é".repeat(50) }, baseHash: null });
    expect([status, body]).toEqual([413, { error: "Payload too large" }]);
    expect(primary.pushes).toHaveLength(0);
  });

  it("takes a baseHash that was read from the replica", async () => {
    const { primary, replica } = await setUp();
    await primary.write("posts", { n: 1 });
    await replica.manager.syncNow("posts");
    const { hash } = (await replica.get("/pull/posts/doc")).body;
    expect((await replica.push("/push/posts/doc", { data: { n: 2 }, baseHash: hash })).status).toBe(200);
    expect((await primary.read("posts")).data).toEqual({ n: 2 });
  });

  it("never lets a slow old pull overwrite a newer write", async () => {
    const { primary, replica, stored } = await setUp();
    await primary.write("posts", { n: 0 });
    await replica.manager.syncNow("posts");
    const old = await primary.write("posts", { n: 1 });
    primary.pause();
    const pull = replica.manager.syncNow("posts");
    await waitFor(() => primary.requests.at(-1)?.state === "open", { what: "the pull to be under way" });
    primary.resume();
    await pull;
    expect(stored()).toMatchObject({ data: { n: 1 }, hash: old });

    const held = holdNextPull(primary.url);
    const slow = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(primary.url, "posts", { writeMode: "push_through" }) },
      fetchFn: held.fetch,
    });
    await slow.manager.syncNow("posts");
    await primary.write("posts", { n: 2 });
    held.arm();
    const late = slow.manager.syncNow("posts");
    await held.answered;
    const base = (await primary.read("posts")).hash;
    const written = await slow.push("/push/posts/doc", { data: { n: 3 }, baseHash: base });
    expect(written.status).toBe(200);
    held.release();
    await late;
    expect((await slow.get("/pull/posts/doc")).body).toMatchObject({ data: { n: 3 }, hash: written.body.hash });
  });

  it("forwards a hundred writes at once and ends where the primary ended", async () => {
    const { primary, replica, stored } = await setUp();
    let accepted = 0;
    const increment = async (): Promise<void> => {
      for (;;) {
        const { data, hash } = (await replica.get("/pull/posts/doc")).body;
        const next = { n: (data.n ?? 0) + 1 };
        const { status } = await replica.push("/push/posts/doc", { data: next, baseHash: hash === "" ? null : hash });
        if (status === 200) {
          accepted += 1;
          return;
        }
        expect(status).toBe(409);
      }
    };
    await Promise.all(Array.from({ length: 10 }, () => increment().then(increment)));
    expect(accepted).toBe(20);
    expect((await primary.read("posts")).data).toEqual({ n: 20 });
    await replica.manager.syncNow("posts");
    expect(stored()).toMatchObject({ data: { n: 20 } });
  });
  it("finds its own write where a push that was sent twice arrived late", async () => {
    const server = await startHostileServer();
    const written = { n: 1 };
    let asked = 0;
    // The first try is cut off, then lands; the second one loses against it.
    server.on("/v1/push/posts/doc", (request, response) =>
      (asked === 0 ? hostile.hangUp() : hostile.status(409, {}, { error: "hash_mismatch" }))(request, response),
    );
    server.on("/v1/pull/posts/doc", (request, response) => {
      asked += 1;
      return (asked === 1 ? hostile.text('{"data":{},"hash":"","timestamp":1}') : hostile.document(written))(
        request,
        response,
      );
    });
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(server.url, "posts", { writeMode: "push_through" }) },
    });
    expect((await replica.push("/push/posts/doc", { data: written, baseHash: null })).status).toBe(200);
    expect(server.count("/push/")).toBe(2);
  });

  it("does not let writes that hang hold up the reads of other collections", async () => {
    const server = await startHostileServer();
    server.on("/v1/push/posts/doc", hostile.silence());
    server.on("/v1/pull/other/doc", hostile.document({ a: 1 }));
    const replica = await startReplica({
      collections: [collection("posts"), collection("other")],
      remotes: {
        posts: remote(server.url, "posts", { writeMode: "push_through" }),
        other: remote(server.url, "other"),
      },
      concurrency: 2,
    });
    const pushes = Array.from({ length: 6 }, () => replica.manager.proxyPush("posts", '{"data":{},"baseHash":null}'));
    await waitFor(() => server.count("/push/") === 2);
    await replica.manager.syncNow("other");
    expect(server.count("/push/")).toBe(2);
    await replica.manager.stop();
    for (const { status } of await Promise.all(pushes)) expect(status).toBe(503);
  });
});

/** A fetch whose next armed pull is answered by the primary at once and handed over only when the test says so. */
function holdNextPull(url: string) {
  let armed = false;
  let release = (): void => {};
  let sayAnswered = (): void => {};
  const answered = new Promise<void>((resolve) => {
    sayAnswered = resolve;
  });
  const holding: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (!armed || init?.method !== "GET" || !String(input).startsWith(url)) return response;
    armed = false;
    const body = await response.text();
    sayAnswered();
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return new Response(body, { status: response.status, headers: response.headers });
  };
  return {
    fetch: holding,
    answered,
    arm: () => {
      armed = true;
    },
    release: () => release(),
  };
}
