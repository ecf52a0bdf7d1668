import { once } from "node:events";
import { connect } from "node:net";
import { ConflictError, StarfishClient } from "@drakkar.software/starfish-client";
import { bootstrapRootIdentity } from "@drakkar.software/starfish-identities";
import { computeHash } from "@drakkar.software/starfish-protocol";
import { MemoryObjectStore, type ServerPlugin } from "@drakkar.software/starfish-server";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";
import { startReplicaServer } from "../support/replica-server.js";
import { waitFor } from "../support/wait.js";

const PULL = "/pull/posts/doc";

describe("startPrimary", () => {
  it("serves a real client what was written into its store", async () => {
    const primary = await startPrimary();
    const client = new StarfishClient({ baseUrl: primary.url });
    expect((await client.pull(PULL)).hash).toBe("");
    const hash = await primary.write("posts", { title: "one" });
    expect(hash).toBe(await computeHash({ title: "one" }));
    expect(await client.pull(PULL)).toMatchObject({ data: { title: "one" }, hash });
    const pushed = await client.push("/push/posts/doc", { title: "two" }, hash);
    expect(await primary.read("posts")).toMatchObject({ data: { title: "two" }, hash: pushed.hash });
    await expect(client.push("/push/posts/doc", { title: "three" }, hash)).rejects.toThrow(ConflictError);
    expect(primary.pushes.map((push) => JSON.parse(push.rawBody))).toMatchObject([
      { data: { title: "two" }, baseHash: hash },
      { data: { title: "three" }, baseHash: hash },
    ]);
    await primary.remove("posts");
    expect((await primary.read("posts")).hash).toBe("");
  });

  it("logs every request with status and bytes on the wire", async () => {
    const primary = await startPrimary();
    const hash = await primary.write("posts", { text: "x".repeat(10_000) });
    await (await fetch(`${primary.url}${PULL}?a=1`)).text();
    await (await fetch(primary.url + PULL, { headers: { "if-none-match": `"${hash}"` } })).text();
    await waitFor(() => primary.count({ state: "finished" }) === 2);
    const [full, unchanged] = primary.requests;
    expect(full).toMatchObject({ method: "GET", path: `/v1${PULL}`, search: "?a=1", status: 200 });
    expect(full?.bytesSent).toBeGreaterThan(10_000);
    expect(unchanged).toMatchObject({ status: 304, headers: { "if-none-match": `"${hash}"` } });
    expect(unchanged?.bytesSent).toBeGreaterThan(50);
    expect(unchanged?.bytesSent).toBeLessThan(1_000);
    expect([
      primary.count(),
      primary.count("GET /v1/pull"),
      primary.count(/a=1$/),
      primary.count({ status: 304 }),
    ]).toEqual([2, 2, 1, 1]);
  });

  it("keeps a root collection and one in a namespace apart", async () => {
    const primary = await startPrimary({ namespaces: { team: [collection("posts", { storagePath: "team/posts" })] } });
    await primary.write("posts", { at: "root" });
    await primary.write("posts", { at: "team" }, { namespace: "team" });
    const client = new StarfishClient({ baseUrl: primary.origin, namespace: "team" });
    expect((await client.pull("/pull/team/posts")).data).toEqual({ at: "team" });
    expect((await primary.read("posts")).data).toEqual({ at: "root" });
  });

  it("lets in a root device's cap-cert and nobody without one", async () => {
    const primary = await startPrimary({ auth: "cap-cert" });
    await primary.write("posts", { secret: 1 });
    // The host prints every refusal.
    const print = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => print.mockRestore());
    expect((await fetch(primary.url + PULL)).status).toBe(401);
    const me = await bootstrapRootIdentity("a passphrase for the tests");
    const capProvider = { getCap: async () => ({ cap: me.capCert, devEdPrivHex: me.device.edPriv }) };
    // This client signs the path that it is given, without the base URL's.
    const client = new StarfishClient({ baseUrl: primary.origin, capProvider });
    const { data, hash } = await client.pull(`/v1${PULL}`);
    expect(data).toEqual({ secret: 1 });
    // More than the host's default limit of 64 KiB for signed bodies.
    await client.push("/v1/push/posts/doc", { text: "x".repeat(100_000) }, hash);
  });

  it("answers with a fault in place of the router, for as long as told", async () => {
    const primary = await startPrimary({ collections: [collection("a"), collection("b")] });
    const get = async (name: string) => fetch(`${primary.url}/pull/${name}/doc`);
    primary.failWith(503, { "retry-after": "7" }, { times: 1, when: "/pull/a/" });
    expect((await get("b")).status).toBe(200);
    const failed = await get("a");
    expect([failed.status, failed.headers.get("retry-after")]).toEqual([503, "7"]);
    expect((await get("a")).status).toBe(200);
    primary.failWith(500);
    expect((await get("a")).status).toBe(500);
    const push = await fetch(`${primary.url}/push/a/doc`, { method: "POST", body: "x".repeat(1_000_000) });
    expect(push.status).toBe(500);
    primary.failWith(null);
    expect((await get("a")).status).toBe(200);
  });

  it("holds requests while it is paused", async () => {
    const primary = await startPrimary();
    primary.pause();
    let answered = false;
    const answer = fetch(primary.url + PULL).then((response) => {
      answered = true;
      return response.status;
    });
    await waitFor(() => primary.count() === 1);
    const controller = new AbortController();
    const given = fetch(primary.url + PULL, { signal: controller.signal });
    given.catch(() => {});
    await waitFor(() => primary.count() === 2);
    controller.abort();
    await expect(given).rejects.toThrow();
    await waitFor(() => primary.count({ state: "aborted", status: null }) === 1);
    expect(answered).toBe(false);
    primary.resume();
    expect(await answer).toBe(200);
  });

  it("delays answers", async () => {
    const primary = await startPrimary();
    primary.setDelayMs(60);
    await expect(fetch(primary.url + PULL, { signal: AbortSignal.timeout(20) })).rejects.toThrow();
    expect((await fetch(primary.url + PULL)).status).toBe(200);
  });

  it("closes idle and busy connections when it stops, and comes back on the same port and store", async () => {
    const store = new MemoryObjectStore(new Map());
    const primary = await startPrimary({ store });
    await primary.write("posts", { kept: true });
    const idle = connect(primary.port, "127.0.0.1");
    await once(idle, "connect");
    await (await fetch(primary.url + PULL)).text();
    primary.pause();
    const held = fetch(primary.url + PULL);
    held.catch(() => {});
    await waitFor(() => primary.count() === 2);
    const ended = once(idle, "close");
    idle.resume();
    await primary.stop();
    await ended;
    await expect(held).rejects.toThrow();
    expect(primary.connections.open).toBe(0);
    await expect(fetch(primary.url + PULL)).rejects.toThrow();
    const again = await startPrimary({ store, port: primary.port });
    expect(again.url).toBe(primary.url);
    expect(await (await fetch(again.url + PULL)).json()).toMatchObject({ data: { kept: true } });
  });

  it("refuses a config that the host would not take", async () => {
    await expect(startPrimary({ collections: [collection("a"), collection("a")] })).rejects.toThrow("Duplicate");
  });
});

describe("startReplicaServer", () => {
  it("runs the plugins' hooks and, when stopped, their shutdown", async () => {
    let shutdowns = 0;
    const plugin: ServerPlugin = {
      name: "read-only",
      interceptPush: () => ({ action: "reject", status: 405, error: "read-only" }),
      shutdown: () => {
        shutdowns += 1;
      },
    };
    const replica = await startReplicaServer({
      config: { version: 1, collections: [collection("posts")] },
      plugins: [plugin],
      mount: (app) => app.get("/hello", (c) => c.text("hello")),
    });
    const push = await fetch(`${replica.url}/push/posts/doc`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ data: {}, baseHash: null }),
    });
    expect(push.status).toBe(405);
    expect(await (await fetch(`${replica.origin}/hello`)).text()).toBe("hello");
    await replica.stop();
    await replica.stop();
    expect(shutdowns).toBe(1);
  });
});
