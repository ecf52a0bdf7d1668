import { MemoryObjectStore, type SyncConfig } from "@drakkar.software/starfish-server";
import { describe, expect, it } from "vitest";
import { validateReplicaConfig } from "../../src/config/validate-replica-config.js";
import type { RemoteConfig } from "../../src/config.js";
import { ConfigurationError } from "../../src/errors.js";
import { ReplicaManager } from "../../src/manager/replica-manager.js";
import { createReplicaServerPlugin } from "../../src/plugin.js";
import { collection } from "../support/collection.js";

const GOOD: RemoteConfig = {
  url: "https://primary.example.com/v1",
  pullPath: "/pull/posts/featured",
  writeMode: "pull_only",
  syncTriggers: ["scheduled"],
};
const config: SyncConfig = { version: 1, collections: [collection("posts"), collection("notes")] };

/** The mistakes of one remote, whatever its type. */
function mistakesOf(overrides: Record<string, unknown>): string[] {
  return validateReplicaConfig(config, { posts: { ...GOOD, ...overrides } as RemoteConfig });
}

describe("validateReplicaConfig", () => {
  it("has nothing to say about a good configuration, short or complete", () => {
    expect(mistakesOf({})).toEqual([]);
    expect(
      mistakesOf({
        url: "http://localhost:4001",
        pushPath: "/push/posts/featured",
        intervalMs: 2 ** 31 - 1,
        headers: { Authorization: "Bearer x" },
        writeMode: "push_through",
        syncTriggers: ["scheduled", "on_pull"],
        onPullMinIntervalMs: 0,
        onPullMaxWaitMs: 0,
        requestTimeoutMs: 1,
        maxDocumentBytes: 1,
        missing: "remove",
        missingGraceMs: 0,
      }),
    ).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ...[0, -5, Number.NaN, 2 ** 31, 1.5, Number.POSITIVE_INFINITY, "60000", null].map(
      (intervalMs): [string, Record<string, unknown>, RegExp] => [
        `intervalMs ${intervalMs}`,
        { intervalMs },
        /intervalMs must be a whole number of milliseconds from 1 to 2147483647, got/,
      ],
    ),
    ["a negative cool-down", { onPullMinIntervalMs: -1 }, /onPullMinIntervalMs must be .* from 0/],
    ["a negative wait", { onPullMaxWaitMs: -1 }, /onPullMaxWaitMs must be/],
    ["no request time", { requestTimeoutMs: 0 }, /requestTimeoutMs must be/],
    ["no document size", { maxDocumentBytes: 0 }, /maxDocumentBytes must be a whole number of bytes/],
    ["a nonsense URL", { url: "primary" }, /url must be an http or https URL, for instance/],
    ["no URL", { url: undefined }, /url must be an http or https URL/],
    ["another scheme", { url: "ftp://primary" }, /url must begin with http:\/\//],
    ["credentials in the URL", { url: "https://me:secret@primary/v1" }, /put them into headers/],
    ["a query in the URL", { url: "https://primary/v1?x=1" }, /must not have a query/],
    ["a relative pull path", { pullPath: "pull/posts" }, /pullPath must be a path that begins with one "\/"/],
    ["a pull path of another host", { pullPath: "//evil.example/pull" }, /pullPath must be a path/],
    [
      "a templated pull path",
      { pullPath: "/pull/{id}" },
      /pullPath must not have template variables \(found "\/pull\/\{id\}"\)/,
    ],
    ["dot segments", { pullPath: "/pull/../admin" }, /dot segments/],
    ["an unknown mode", { writeMode: "pul_only" }, /unknown writeMode "pul_only": did you mean "pull_only"\?/],
    [
      "an unknown trigger",
      { syncTriggers: ["on_pul"] },
      /unknown trigger "on_pul" in syncTriggers: did you mean "on_pull"\?/,
    ],
    ["triggers that are no list", { syncTriggers: "scheduled" }, /syncTriggers must be an array/],
    ["an unknown option", { intervalMS: 5 }, /unknown option "intervalMS": did you mean "intervalMs"\?/],
    ["a header name with a space", { headers: { "X Token": "a" } }, /"X Token" is not a header name/],
    ["a header value that is no string", { headers: { "X-Token": 5 } }, /the value of "X-Token" must be a string/],
    ["headers that are no object", { headers: ["a"] }, /headers must be an object/],
    [
      "push_through without a push path",
      { writeMode: "push_through" },
      /write_mode "push_through" requires remote.pushPath to be set/,
    ],
    [
      "bidirectional without a push path",
      { writeMode: "bidirectional" },
      /write_mode "bidirectional" requires remote.pushPath/,
    ],
    ["an unknown missing", { missing: "delete" }, /missing must be "keep" or "remove", got "delete"/],
    [
      "removal of what clients wrote",
      { missing: "remove", writeMode: "bidirectional", pushPath: "/push/x" },
      /would take away clients' writes/,
    ],
  ])("refuses %s, naming the collection and the mend", (_what, overrides, mistake) => {
    const mistakes = mistakesOf(overrides);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(mistake);
    expect(mistakes[0]).toMatch(/^Collection "posts": /);
  });

  it("never shows the value of a header", () => {
    const secret = "s3cr3t\u0000";
    expect(mistakesOf({ headers: { Authorization: secret } }).join()).not.toContain("s3cr3t");
  });

  it("takes nothing for granted: a remote may be anything", () => {
    for (const remote of [null, undefined, 5, "x", [], () => {}]) {
      const mistakes = validateReplicaConfig(config, { posts: remote as unknown as RemoteConfig });
      expect(mistakes).toEqual(['Collection "posts": the remote configuration must be an object']);
    }
  });

  it.each([
    [
      "a templated storage path",
      { storagePath: "posts/{id}" },
      /static storagePath with no template variables \(found "posts\/\{id\}"\)/,
    ],
    ["appendOnly", { appendOnly: { type: "by_timestamp" as const } }, /appendOnly collections cannot be replicated/],
    ["a binary collection", { allowedMimeTypes: ["image/png"] }, /binary collections cannot be replicated/],
    ["delegated encryption", { encryption: "delegated" as const }, /encryption "delegated" cannot be replicated/],
    ["pushOnly", { pushOnly: true }, /pushOnly collections cannot be replicated: use writeMode "push_only"/],
    ["a bundle", { bundle: "b" }, /collections of a bundle cannot be replicated/],
  ])("refuses %s of the host, with the reason", (_what, overrides, mistake) => {
    const host: SyncConfig = { version: 1, collections: [collection("posts", overrides)] };
    const mistakes = validateReplicaConfig(host, { posts: GOOD });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(mistake);
  });

  it("names the nearest known collection and namespace", () => {
    const host: SyncConfig = { ...config, namespaces: { team: { collections: [collection("tasks")] } } };
    expect(validateReplicaConfig(host, { post: GOOD })).toEqual([
      'Collection "post": remote replication configured for an unknown root collection: did you mean "posts"?',
    ]);
    expect(validateReplicaConfig(host, {}, { namespaces: { taem: { tasks: GOOD } } })).toEqual([
      'Namespace "taem": unknown to this server: did you mean "team"?',
    ]);
    expect(validateReplicaConfig(host, {}, { namespaces: { team: { posts: GOOD } } })).toEqual([
      'Namespace "team": Collection "posts": remote replication configured for an unknown namespaced collection: known: "tasks"',
    ]);
  });

  it("refuses two collections with one storage path, namespaces included, replicated or not", () => {
    const twin = collection("posts", { storagePath: "same" });
    const host: SyncConfig = { version: 1, collections: [twin], namespaces: { ns: { collections: [twin] } } };
    const mistake =
      'Collection "posts": shares storagePath "same" with Namespace "ns": Collection "posts": give each its own';
    expect(validateReplicaConfig({ ...host, namespaces: { ns: { collections: [twin] } } }, { posts: GOOD })).toEqual([
      mistake,
    ]);
    const both = { ...host, namespaces: { ns: { collections: [twin] } } };
    expect(validateReplicaConfig(both, { posts: GOOD }, { namespaces: { ns: { posts: GOOD } } })).toEqual([mistake]);
    const bundled = {
      ...host,
      namespaces: { ns: { collections: [collection("x", { storagePath: "{id}", bundle: "b" })] } },
    };
    expect(
      validateReplicaConfig(
        { ...bundled, collections: [collection("posts", { storagePath: "a/x" })] },
        { posts: GOOD },
      ),
    ).toHaveLength(1);
  });

  it("refuses a collection of the host that could serve our own records", () => {
    const host: SyncConfig = {
      version: 1,
      collections: [collection("posts"), collection("any", { storagePath: "{a}/{b}" })],
    };
    const remote: RemoteConfig = { ...GOOD, writeMode: "bidirectional", pushPath: "/push/posts/featured" };
    const mistakes = validateReplicaConfig(host, { posts: remote });
    expect(mistakes).toEqual([
      'Collection "any": storagePath "{a}/{b}" could serve our record "_replica/posts": change its storagePath, or set statePrefix',
    ]);
    expect(validateReplicaConfig(host, { posts: GOOD })).toEqual([]);
    expect(validateReplicaConfig(host, { posts: remote }, { statePrefix: "_state/replica" })).toEqual([]);
    expect(validateReplicaConfig(config, { posts: remote }, { statePrefix: "../up" })).toHaveLength(1);
    const fixed: SyncConfig = {
      version: 1,
      collections: [collection("posts"), collection("p", { storagePath: "_replica/other" })],
    };
    expect(validateReplicaConfig(fixed, { posts: GOOD })).toHaveLength(1);
  });

  it("refuses to forward writes to fields whose writeRoles nobody would enforce", () => {
    const guarded = collection("posts", { fieldPermissions: { price: { writeRoles: ["admin"] } } });
    const host: SyncConfig = { version: 1, collections: [guarded] };
    const remote: RemoteConfig = { ...GOOD, writeMode: "push_through", pushPath: "/push/posts/featured" };
    expect(validateReplicaConfig(host, { posts: remote })).toEqual([
      'Collection "posts": writeRoles of the fields "price" cannot be enforced on forwarded writes: remove them, or use another write mode',
    ]);
    expect(validateReplicaConfig(host, { posts: { ...remote, writeMode: "bidirectional" } })).toEqual([]);
  });

  it("lists every mistake at once", () => {
    const mistakes = validateReplicaConfig(config, {
      posts: { ...GOOD, intervalMs: 0, url: "x", writeMode: "no" } as unknown as RemoteConfig,
      nots: { ...GOOD, syncTriggers: ["x"] } as unknown as RemoteConfig,
    });
    expect(mistakes).toHaveLength(5);
  });
});

describe("createReplicaServerPlugin", () => {
  it("throws every mistake on a line of its own", () => {
    const create = () =>
      createReplicaServerPlugin({
        store: new MemoryObjectStore(new Map()),
        syncConfig: config,
        collections: { posts: { ...GOOD, intervalMs: 0 }, other: GOOD },
      });
    expect(create).toThrow(ConfigurationError);
    expect(create).toThrow(
      /^\[starfish-replica\] invalid configuration:\n- Collection "posts": intervalMs .*\n- Collection "other": .*unknown root collection.*$/,
    );
  });

  it("lists the mistakes of its own options with the others", () => {
    const create = () =>
      createReplicaServerPlugin({
        store: new MemoryObjectStore(new Map()),
        syncConfig: config,
        collections: { posts: { ...GOOD, url: "x" } },
        concurrency: -1,
        backOff: { baseMs: 0 },
      });
    expect(create).toThrow(/url must be(.|\n)*concurrency must be(.|\n)*backOff\.baseMs must be/);
  });
});

describe("ReplicaManager's constructor", () => {
  const store = new MemoryObjectStore(new Map());
  it.each<[string, () => unknown, RegExp]>([
    [
      "bad remotes",
      () => new ReplicaManager(store, [{ name: "a", storagePath: "a", remote: { ...GOOD, intervalMs: -5 } }]),
      /Collection "a": intervalMs/,
    ],
    [
      "no storage path",
      () => new ReplicaManager(store, [{ name: "a", storagePath: "", remote: GOOD }]),
      /storagePath must be a key/,
    ],
    [
      "one name twice",
      () =>
        new ReplicaManager(
          store,
          ["x", "y"].map((storagePath) => ({ name: "a", storagePath, remote: GOOD })),
        ),
      /Collection "a": is listed twice/,
    ],
    [
      "one storage path twice",
      () =>
        new ReplicaManager(
          store,
          ["a", "b"].map((name) => ({ name, storagePath: "x", remote: GOOD })),
        ),
      /Collection "b": shares storagePath "x" with "a"/,
    ],
    [
      "concurrency 0",
      () => new ReplicaManager(store, [], { concurrency: 0 }),
      /concurrency must be a whole number from 1, got 0/,
    ],
    ["a back-off of NaN", () => new ReplicaManager(store, [], { backOff: { baseMs: Number.NaN } }), /backOff.baseMs/],
    [
      "auth beside fetchFn",
      () =>
        new ReplicaManager(store, [], { fetchFn: fetch, auth: { sign: async () => ({}), correctClock: () => false } }),
      /auth and fetchFn exclude each other/,
    ],
  ])("refuses %s", (_what, create, mistake) => {
    expect(create).toThrow(ConfigurationError);
    expect(create).toThrow(mistake);
  });
});
