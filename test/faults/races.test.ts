import { MemoryObjectStore, type ObjectStore } from "@drakkar.software/starfish-server";
import { describe, expect, it } from "vitest";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";
import { realDelay, realNow } from "../support/real-time.js";
import { type HttpReply, remote, startReplica } from "../support/replica.js";
import { size } from "../support/size.js";

const DURATION_MS = size({ test: 1_500, ci: 10_000, soak: 60_000 });

const pause = (most: number) => realDelay(Math.random() * most);

/** A primary that takes its time on the way in and on the way out, each request another, so that answers overtake each other. */
function startErraticPrimary(most: number) {
  return startPrimary({
    mount: (app) =>
      app.use("*", async (_context, next) => {
        await pause(most);
        await next();
        await pause(most);
      }),
  });
}

function erraticStore(): ObjectStore {
  const store = new MemoryObjectStore(new Map());
  const { getString, put } = store;
  store.getString = async (...args) => {
    await pause(2);
    const value = await getString.apply(store, args);
    await pause(2);
    return value;
  };
  store.put = async (...args) => {
    await pause(2);
    await put.apply(store, args);
    await pause(2);
  };
  return store;
}

type Post = (body: unknown) => Promise<HttpReply>;

/** Adds one to the counter, as any client of optimistic concurrency does. `null`: somebody was faster. */
async function count(pull: () => Promise<HttpReply>, push: Post): Promise<number | null> {
  const { data, hash } = (await pull()).body;
  const n = (data?.n ?? 0) + 1;
  const { status } = await push({ data: { n }, baseHash: hash === "" ? null : hash });
  expect([200, 409]).toContain(status);
  return status === 200 ? n : null;
}

/** A client of the primary itself. */
function clientOf(url: string) {
  const http = async (route: string, init?: RequestInit): Promise<HttpReply> => {
    const response = await fetch(`${url}/${route}/posts/doc`, init);
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const headers = { "content-type": "application/json" };
  return {
    pull: () => http("pull"),
    push: (body: unknown) => http("push", { method: "POST", headers, body: JSON.stringify(body) }),
  };
}

describe("a push_through document that everybody writes at once", () => {
  it("never goes back, shows each writer its own write, and ends as the primary's", async () => {
    const primary = await startErraticPrimary(15);
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: {
        posts: remote(primary.url, "posts", {
          writeMode: "push_through",
          syncTriggers: ["scheduled", "on_pull"],
          intervalMs: 5,
          onPullMaxWaitMs: 10_000,
        }),
      },
      store: erraticStore(),
    });
    await primary.write("posts", { n: 0 });
    await replica.manager.syncNow("posts");
    replica.manager.start();
    const until = realNow() + DURATION_MS;
    const path = "/posts/doc";
    const atReplica = () => replica.get(`/pull${path}`);
    let accepted = 0;

    const writer = async () => {
      while (realNow() < until) {
        const n = await count(atReplica, (body) => replica.push(`/push${path}`, body));
        if (n === null) continue;
        accepted += 1;
        expect((await atReplica()).body.data.n).toBeGreaterThanOrEqual(n);
      }
    };
    const writerAtPrimary = async () => {
      const { pull, push } = clientOf(primary.url);
      while (realNow() < until) {
        if ((await count(pull, push)) !== null) accepted += 1;
        await pause(60);
      }
    };
    const reader = async () => {
      for (let last = 0; realNow() < until; ) {
        const { n } = JSON.parse((await replica.store.getString("posts/doc")) ?? "").data;
        expect(n).toBeGreaterThanOrEqual(last);
        last = n;
      }
    };
    await Promise.all([writer(), writer(), writer(), writerAtPrimary(), reader()]);
    await replica.manager.syncNow("posts");
    await replica.manager.syncNow("posts");
    const truth = await primary.read("posts");
    // Each accepted write counted once: none was lost, none was sent twice.
    expect(truth.data).toEqual({ n: accepted });
    expect((await atReplica()).body).toMatchObject({ data: truth.data, hash: truth.hash });
    expect(accepted).toBeGreaterThan(5);
    expect(replica.errors).toEqual([]);
  });
});

describe("a bidirectional document that everybody writes at once", () => {
  it("keeps each side's edits, and never shows an edit taken back", async () => {
    const primary = await startErraticPrimary(5);
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: {
        posts: remote(primary.url, "posts", { writeMode: "bidirectional", syncTriggers: ["scheduled"], intervalMs: 5 }),
      },
      store: erraticStore(),
    });
    await primary.write("posts", { theirs: 0 });
    await replica.manager.syncNow("posts");
    replica.manager.start();
    const until = realNow() + DURATION_MS;
    const accepted = [0, 0, 0];

    const writer = async (index: number) => {
      const field = `w${index}`;
      while (realNow() < until) {
        const { data, hash } = (await replica.get("/pull/posts/doc")).body;
        expect(data[field] ?? 0).toBe(accepted[index]);
        const next = (accepted[index] ?? 0) + 1;
        const { status } = await replica.push("/push/posts/doc", { data: { ...data, [field]: next }, baseHash: hash });
        expect([200, 409]).toContain(status);
        if (status === 200) accepted[index] = next;
      }
    };
    let theirs = 0;
    const writerAtPrimary = async () => {
      const { pull, push } = clientOf(primary.url);
      while (realNow() < until) {
        const { data, hash } = (await pull()).body;
        const { status } = await push({ data: { ...data, theirs: theirs + 1 }, baseHash: hash });
        if (status === 200) theirs += 1;
        await pause(60);
      }
    };
    await Promise.all([writer(0), writer(1), writer(2), writerAtPrimary()]);
    await replica.manager.syncNow("posts");
    await replica.manager.syncNow("posts");
    const [w0, w1, w2] = accepted;
    expect((await replica.get("/pull/posts/doc")).body.data).toEqual({ theirs, w0, w1, w2 });
    expect(Math.min(theirs, ...accepted)).toBeGreaterThan(0);
    // To lose against other writers many times in a row is reported, and no harm.
    expect(replica.errors.filter(({ error }) => error.status !== 409)).toEqual([]);
  });
});
