import {
  createCapCertRoleResolver,
  createInMemoryNonceCache,
  createInMemoryRevocationStore,
  type ServerPlugin,
} from "@drakkar.software/starfish-server";
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import type { ReplicaAuth } from "../../src/auth/replica-auth.js";
import { coversKey } from "../../src/feeds/scope-paths.js";
import { createSseFeed } from "../../src/feeds/sse-feed.js";
import { collection, forCapCerts } from "../support/collection.js";
import { realDelay } from "../support/real-time.js";
import { waitFor } from "../support/wait.js";
import { bearerRoles, startChangesHost } from "./changes-host.js";
import { readRaw } from "./raw-reader.js";
import { subscribed } from "./recording-handler.js";

const as = (token: string) => ({ authorization: `Bearer ${token}` });
const WRITER = { headers: as("writer:writer") };

/** What the reader's pull of each key is answered, the host's own word on what it may read. */
async function pulls(url: string, keys: readonly string[], headers: Record<string, string>) {
  return await Promise.all(keys.map(async (key) => (await fetch(`${url}/pull/${key}`, { headers })).status === 200));
}

describe("GET /changes", () => {
  const closed = { writeRoles: ["writer"] };
  const collections = [
    collection("open", closed),
    collection("staff", { ...closed, readRoles: ["staff"] }),
    collection("notes", { ...closed, readRoles: ["self"], storagePath: "notes/{identity}/doc" }),
    collection("teams", { ...closed, readRoles: ["member"], storagePath: "teams/{team}/doc" }),
    collection("inbox", { ...closed, readRoles: ["staff"], pushOnly: true }),
    collection("vault", { ...closed, readRoles: ["staff"], rootOnly: true }),
  ];
  const keys = ["open/doc", "staff/doc", "notes/alice/doc", "notes/bob/doc", "teams/red/doc", "inbox/doc", "vault/doc"];
  // The host asks for the root's role on writes too.
  const writable = keys.filter((key) => key !== "vault/doc");
  const roleEnricher = async ({ identity }: { identity: string }, params: Record<string, string>) =>
    params.team === "red" && identity === "carol" ? ["member"] : [];

  it.each([
    ["nobody in particular", ""],
    ["alice without roles", "alice:"],
    ["bob, staff", "bob:staff"],
    ["carol of the red team", "carol:"],
    ["the root device", "dave:device:root,staff"],
  ])("sends %s exactly what its pulls would be answered with", async (_who, token) => {
    const host = await startChangesHost({ collections, roleEnricher });
    const headers = token === "" ? {} : as(token);
    const reader = await readRaw(host.changesUrl, headers);
    const root = await readRaw(host.changesUrl, as("x:staff,device:root"));
    const written: { key: string; hash: string }[] = [];
    for (const key of writable) written.push(await host.push(key, WRITER));
    written.push(await host.push("vault/doc", { headers: as("x:writer,device:root") }));
    await root.heard(written.at(-1)?.hash ?? "");
    const last = await host.push("open/doc", WRITER);
    await reader.heard(last.hash);
    const allowed = await pulls(host.url, keys, headers);
    expect(reader.hashes).toEqual([...written.filter((_, i) => allowed[i]).map(({ hash }) => hash), last.hash]);
    expect(JSON.stringify(reader.events)).not.toMatch(allowed[1] ? /inbox/ : /inbox|staff/);
  });

  it("filters a replay the same way", async () => {
    const host = await startChangesHost({ collections });
    const first = await readRaw(host.changesUrl, as("bob:staff"));
    const id = first.lastId ?? "";
    const staff = await host.push("staff/doc", WRITER);
    const open = await host.push("open/doc", WRITER);
    await first.heard(open.hash);
    for (const [token, hashes] of [
      ["bob:staff", [staff.hash, open.hash]],
      ["alice:", [open.hash]],
    ] as const) {
      const again = await readRaw(host.changesUrl, { ...as(token), "last-event-id": id });
      await again.heard(open.hash);
      expect(again.hashes).toEqual(hashes);
      expect(again.events[0]).toMatchObject({ event: "ready", data: { gap: false } });
    }
  });

  it("is answered like the host's routes where the resolver refuses", async () => {
    const host = await startChangesHost({ collections });
    for (const [token, status] of [
      ["nobody:", 401],
      ["banned:", 403],
    ] as const) {
      expect((await fetch(host.changesUrl, { headers: as(token) })).status).toBe(status);
      vi.spyOn(console, "error").mockImplementation(() => {});
      expect((await fetch(`${host.url}/pull/staff/doc`, { headers: as(token) })).status).toBe(status);
      vi.restoreAllMocks();
    }
    expect(host.changes.subscribers).toBe(0);
  });

  it("is answered 503 where the resolver takes too long", async () => {
    const host = await startChangesHost({ roleResolver: () => new Promise(() => {}), roleResolverTimeoutMs: 30 });
    expect((await fetch(host.changesUrl)).status).toBe(503);
  });

  it("is answered 403 where the caller can never hear of anything", async () => {
    const host = await startChangesHost({ collections: collections.slice(1) });
    expect((await fetch(host.changesUrl)).status).toBe(403);
    expect((await fetch(host.changesUrl, { headers: as("alice:") })).status).toBe(200);
  });

  it("lets a caller without credentials hear of public collections where the resolver knows nobody", async () => {
    const roleResolver: typeof bearerRoles = (context) => {
      if (context.req.header("authorization") === undefined) throw Object.assign(new Error("who?"), { status: 401 });
      return bearerRoles(context);
    };
    const host = await startChangesHost({ collections, roleResolver });
    const reader = await readRaw(host.changesUrl);
    await host.push("staff/doc", WRITER);
    const open = await host.push("open/doc", WRITER);
    await reader.heard(open.hash);
    expect(reader.hashes).toEqual([open.hash]);
    const strict = await startChangesHost({ collections: collections.slice(1), roleResolver });
    expect((await fetch(strict.changesUrl)).status).toBe(401);
  });

  it("asks the authorize hooks of the host's plugins", async () => {
    const asked: unknown[] = [];
    const restrictions: ServerPlugin = {
      name: "restrictions",
      authorize(context) {
        asked.push(context);
        return context.identity === "eve" && context.collection === "open"
          ? { action: "reject", status: 403, error: "no" }
          : { action: "proceed" };
      },
    };
    const host = await startChangesHost({ collections, plugins: [restrictions] });
    const eve = await readRaw(host.changesUrl, as("eve:staff"));
    const bob = await readRaw(host.changesUrl, as("bob:staff"));
    const open = await host.push("open/doc", WRITER);
    asked.length = 0;
    const staff = await host.push("staff/doc", WRITER);
    await Promise.all([eve.heard(staff.hash), bob.heard(staff.hash)]);
    expect(eve.hashes).toEqual([staff.hash]);
    expect(bob.hashes).toEqual([open.hash, staff.hash]);
    expect(asked).toContainEqual({
      identity: "eve",
      action: "pull",
      collection: "staff",
      params: {},
      roles: ["public", "staff"],
    });
  });

  it("does not send what an enricher or a hook that fails was asked about, says so, and goes on", async () => {
    const errors: unknown[] = [];
    const host = await startChangesHost({
      collections,
      roleEnricher: async (_auth, { team }) => {
        if (team !== undefined) throw new Error("directory is down");
        return [];
      },
      onError: (error) => errors.push(error),
    });
    const reader = await readRaw(host.changesUrl, as("carol:"));
    await host.changes.publish({ collection: "teams", namespace: null, key: "teams/red/doc", hash: "1", timestamp: 1 });
    const open = await host.push("open/doc", WRITER);
    await reader.heard(open.hash);
    expect(reader.hashes).toEqual([open.hash]);
    expect(errors).toMatchObject([{ message: "directory is down" }]);
  });

  it("says nothing about collections and keys that the server does not have", async () => {
    const host = await startChangesHost({ collections });
    const reader = await readRaw(host.changesUrl, as("bob:staff"));
    const event = { collection: "open", namespace: null, key: "open/doc", hash: "1", timestamp: 1 };
    await host.changes.publish({ ...event, collection: "secret" });
    await host.changes.publish({ ...event, namespace: "eu" });
    await host.changes.publish({ ...event, key: "staff/doc" });
    await host.changes.publish({ ...event, collection: "notes", key: "" });
    await host.changes.publish({ ...event, hash: "2" });
    await reader.heard("2");
    expect(reader.hashes).toEqual(["2"]);
  });
});

describe("GET /changes with cap-certs", () => {
  let auth: ReplicaAuth;
  beforeAll(async () => {
    auth = await createReplicaAuth({ passphrase: "correct horse battery staple" });
  });
  const capResolver = () =>
    createCapCertRoleResolver({
      nonceCache: createInMemoryNonceCache({ perSignerLimit: 10_000, maxEntries: 10_000 }),
      revocationStore: createInMemoryRevocationStore(),
      allowAnonymous: false,
    });
  const writer = async (url: string) => {
    const response = await auth.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ data: { n: Math.random() }, baseHash: null }),
    });
    return ((await response.json()) as { hash: string }).hash;
  };

  it.each([
    ["auth", () => ({ auth })],
    ["fetchFn: auth.fetch", () => ({ fetchFn: auth.fetch })],
  ])(
    "resolves the caller once per connect and lets a signed feed in, each time with a new nonce (%s)",
    async (_how, signing) => {
      let asked = 0;
      const resolver = capResolver();
      const host = await startChangesHost({
        collections: [forCapCerts(collection("posts"))],
        roleResolver: async (context) => {
          if (context.req.path.endsWith("/changes")) asked += 1;
          return await resolver(context);
        },
        maxConnectionMs: 100,
        heartbeatMs: 150,
      });
      const errors: unknown[] = [];
      const feed = createSseFeed({
        url: host.changesUrl,
        ...signing(),
        reconnectBaseMs: 1,
        onError: (error) => errors.push(error),
      });
      const handler = await subscribed(feed);
      await handler.heard(await writer(`${host.url}/push/posts/doc`));
      await waitFor(() => host.count("GET /v1/changes") >= 4);
      const streams = host.requests.filter(({ path }) => path.endsWith("/changes"));
      expect(new Set(streams.map(({ headers }) => headers["x-starfish-nonce"])).size).toBe(streams.length);
      expect(streams.slice(0, 3).every(({ status }) => status === 200)).toBe(true);
      expect(asked).toBe(streams.length);
      expect(errors).toEqual([]);
      // Everything was accounted for, over and over.
      expect(handler.gaps).toBe(1);
    },
  );

  it("corrects a wrong clock by the primary's Date and connects at once", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const late = await createReplicaAuth({
      passphrase: "correct horse battery staple",
      clock: () => Date.now() / 1_000 - 7_200,
    });
    const host = await startChangesHost({
      collections: [forCapCerts(collection("posts"))],
      roleResolver: capResolver(),
    });
    const errors: unknown[] = [];
    const feed = createSseFeed({ url: host.changesUrl, auth: late, onError: (error) => errors.push(error) });
    await subscribed(feed);
    expect(host.requests.map(({ status }) => status)).toEqual([401, 200]);
    expect(errors).toEqual([]);
    vi.restoreAllMocks();
  });

  it("sends nothing after the cap-cert has ended, and ends the stream", async () => {
    const host = await startChangesHost({
      collections: [forCapCerts(collection("posts"))],
      roleResolver: capResolver(),
      heartbeatMs: 50,
    });
    // Its cap is minted 30 days before it is used, less two seconds.
    let backSec = 30 * 86_400 - 2;
    const ageing = await createReplicaAuth({
      passphrase: "correct horse battery staple",
      refreshMarginSec: 0,
      clock: () => Date.now() / 1_000 - backSec,
    });
    await ageing.sign({ method: "GET", url: host.changesUrl });
    backSec = 0;
    const reader = await readRaw(host.changesUrl, await ageing.sign({ method: "GET", url: host.changesUrl }));
    expect(reader.status).toBe(200);
    await waitFor(() => reader.ended, { timeoutMs: 5_000 });
    expect(reader.ended).toBe(true);
    expect(host.changes.subscribers).toBe(0);
  });

  it("sends only what the cap's paths cover; they must cover the feed's own path too", async () => {
    const scope = (paths: string[]) => ({ ops: ["read" as const], collections: ["*"], paths });
    const host = await startChangesHost({
      collections: ["posts", "pages"].map((name) => forCapCerts(collection(name))),
      roleResolver: capResolver(),
    });
    const open = async (paths: string[]) => {
      const narrow = await createReplicaAuth({ passphrase: "correct horse battery staple", scope: scope(paths) });
      return await readRaw(host.changesUrl, await narrow.sign({ method: "GET", url: host.changesUrl }));
    };
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect((await open(["pages/**"])).status).toBe(403);
    vi.restoreAllMocks();
    const reader = await open(["pages/**", "v1/changes"]);
    await writer(`${host.url}/push/posts/doc`);
    const page = await writer(`${host.url}/push/pages/doc`);
    await reader.heard(page);
    await realDelay(20);
    expect(reader.hashes).toEqual([page]);
  });
});

describe("coversKey", () => {
  it("agrees with the host's own rule on any paths and keys", async () => {
    // Not exported by the package.
    const file = new URL(
      "../../node_modules/@drakkar.software/starfish-server/dist/router/cap-resolver.js",
      import.meta.url,
    );
    const { matchScopePath } = (await import(file.href)) as {
      matchScopePath: (path: string, paths: string[] | undefined) => boolean;
    };
    const part = fc.constantFrom("a", "b", "aa", "*", "**", "/", "/", ".", "%61", "%", "{identity}", "");
    const path = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
    const rule = fc.tuple(fc.boolean(), path).map(([deny, glob]) => (deny ? `!${glob}` : glob));
    fc.assert(
      fc.property(path, fc.option(fc.array(rule, { maxLength: 4 }), { nil: undefined }), (key, rules) => {
        expect(coversKey(rules, key)).toBe(matchScopePath(key, rules));
      }),
      { numRuns: 20_000 },
    );
  });

  it("takes no time on a pattern that was made to take for ever", () => {
    const since = performance.now();
    expect(coversKey([`${"*a".repeat(200)}b`], "a".repeat(2_000))).toBe(false);
    expect(performance.now() - since).toBeLessThan(1_000);
  });
});
