import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { beforeAll, describe, expect, it } from "vitest";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import type { ReplicaAuth } from "../../src/auth/replica-auth.js";
import type { ReplicaManagerOptions } from "../../src/manager/manager-options.js";
import { collection } from "../support/collection.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { startPrimary } from "../support/primary.js";
import { remote, startReplica } from "../support/replica.js";

const PULL = "/v1/pull/posts/doc";
const PUSH = "/v1/push/posts/doc";

let auth: ReplicaAuth;
beforeAll(async () => {
  auth = await createReplicaAuth({ passphrase: "redirects" });
});

const clients: ReadonlyArray<[string, () => ReplicaManagerOptions]> = [
  ["our own client", () => ({})],
  ["our own client, signing", () => ({ auth })],
  ["fetch", () => ({ fetchFn: fetch })],
  ["a signing fetch", () => ({ fetchFn: auth.fetch })],
];

describe.each(clients)("a redirect met by %s", (_name, options) => {
  async function setUp() {
    const [server, other] = await Promise.all([startHostileServer(), startHostileServer()]);
    other.on("*", hostile.document({ stolen: true }));
    const data = new Map<string, string>();
    const replica = await startReplica({
      ...options(),
      collections: [collection("posts")],
      remotes: {
        posts: remote(server.url, "posts", { writeMode: "push_through", headers: { "x-api-key": "secret-key" } }),
      },
      store: new MemoryObjectStore(data),
    });
    return { server, other, replica, data };
  }

  it.each([301, 302, 303, 307, 308])("to another origin is not followed by a pull (%i)", async (status) => {
    const { server, other, replica, data } = await setUp();
    server.on(PULL, hostile.document({ v: 1 }));
    await replica.manager.syncNow("posts");
    const before = data.get("posts/doc");
    server.on(PULL, hostile.redirect(`${other.origin}${PULL}?token=secret-query`, status));
    const error = await replica.manager.syncNow("posts").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "PRIMARY_REDIRECTED", hint: expect.any(String) });
    expect(String(error)).not.toContain("secret");
    expect(other.connections.total).toBe(0);
    expect(data.get("posts/doc")).toBe(before);
  });

  it.each([301, 302, 303, 307, 308])("to another origin is not followed by a forwarded push (%i)", async (status) => {
    const { server, other, replica, data } = await setUp();
    server.on(PUSH, hostile.redirect(`${other.origin}${PUSH}`, status));
    server.on(PULL, hostile.text('{"data":{},"hash":"","timestamp":0}'));
    const answer = await replica.push("/push/posts/doc", { data: { mine: 1 }, baseHash: null });
    expect(answer.status).toBe(502);
    expect(answer.body).toEqual({ error: expect.any(String) });
    expect(other.connections.total).toBe(0);
    expect(data.size).toBe(0);
  });

  it("hides the credentials also where the first hop is at home and the second is not", async () => {
    const { server, other, replica } = await setUp();
    server.on(PULL, hostile.redirect("/v1/elsewhere"));
    server.on("/v1/elsewhere", hostile.redirect(`//127.0.0.1:${other.port}/v1/there`));
    await expect(replica.manager.syncNow("posts")).rejects.toMatchObject({ code: "PRIMARY_REDIRECTED" });
    expect(other.connections.total).toBe(0);
  });

  it("within the origin is followed, with the headers", async () => {
    const { server, replica, data } = await setUp();
    server.on(PULL, hostile.redirect("../moved/doc"));
    server.on("/v1/pull/moved/doc", hostile.document({ moved: true }));
    await replica.manager.syncNow("posts");
    expect(JSON.parse(data.get("posts/doc") ?? "")).toMatchObject({ data: { moved: true } });
    expect(server.received[1]?.headers["x-api-key"]).toBe("secret-key");
  });

  it.each([307, 308])("within the origin takes a push along, body and all (%i)", async (status) => {
    const { server, replica } = await setUp();
    server.on(PULL, hostile.document({ mine: 1 }));
    server.on(PUSH, hostile.redirect("/v1/push/moved", status));
    server.on("/v1/push/moved", hostile.status(200, {}, { hash: "h", timestamp: 1 }));
    const body = '{"data":{"mine":1},"baseHash":null}';
    expect((await replica.push("/push/posts/doc", body)).body).toEqual({ hash: "h", timestamp: 1 });
    expect(server.received[1]).toMatchObject({ method: "POST", path: "/v1/push/moved", body });
  });
});

describe("a redirect of signed requests", () => {
  it.each([
    ["our own client", () => ({ auth })],
    ["a signing fetch", () => ({ fetchFn: auth.fetch })],
  ])("has every hop signed for itself, so that a real primary takes it: %s", async (_name, options) => {
    const primary = await startPrimary({
      auth: "cap-cert",
      mount: (app) => app.get("/v1/old", (c) => c.redirect("/v1/pull/posts/doc")),
    });
    await primary.write("posts", { v: 1 });
    const replica = await startReplica({
      ...options(),
      collections: [collection("posts")],
      remotes: { posts: { ...remote(primary.url, "posts"), pullPath: "/old" } },
    });
    await replica.manager.syncNow("posts");
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ v: 1 });
  });
});
