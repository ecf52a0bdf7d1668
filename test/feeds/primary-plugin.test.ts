import type { WriteEvent } from "@drakkar.software/starfish-server";
import { describe, expect, it, vi } from "vitest";
import type { ChangeEvent, ChangeFeed } from "../../src/feeds/change-feed.js";
import { createMemoryFeed } from "../../src/feeds/memory-feed.js";
import { createPrimaryServerPlugin } from "../../src/primary.js";
import { collection } from "../support/collection.js";
import { startPrimary } from "../support/primary.js";
import { waitFor } from "../support/wait.js";
import { subscribed } from "./recording-handler.js";

async function push(url: string, key: string) {
  const response = await fetch(`${url}/push/${key}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ data: { n: 1 }, baseHash: null }),
  });
  return { status: response.status, body: (await response.json()) as { hash: string; timestamp: number } };
}

const feedOf = (publish: ChangeFeed["publish"]): ChangeFeed => ({
  publish,
  subscribe: () => ({ [Symbol.asyncDispose]: async () => {} }),
});

describe("createPrimaryServerPlugin", () => {
  it("announces a write with the host's own hash and time, and with the key where it has the configuration", async () => {
    const feed = createMemoryFeed();
    const collections = [collection("users", { storagePath: "users/{user}/doc" })];
    const primary = await startPrimary({
      collections,
      plugins: [createPrimaryServerPlugin({ feed, syncConfig: { version: 1, collections } })],
    });
    const handler = await subscribed(feed);
    const { body } = await push(primary.url, "users/ann/doc");
    await handler.heard(body.hash);
    expect(handler.events).toEqual([{ collection: "users", namespace: null, key: "users/ann/doc", ...body }]);
  });

  it("leaves the key empty where it has none, and gives the feed what it takes to find it", async () => {
    const published: ChangeEvent[] = [];
    const feed = feedOf(async (event) => void published.push(event));
    const collections = [collection("users", { storagePath: "users/{user}/doc" })];
    const primary = await startPrimary({ collections, plugins: [createPrimaryServerPlugin({ feed })] });
    await push(primary.url, "users/ann/doc");
    expect(published).toMatchObject([{ collection: "users", key: "", params: { user: "ann" } }]);
  });

  it("announces nothing that was refused", async () => {
    const published: ChangeEvent[] = [];
    const feed = feedOf(async (event) => void published.push(event));
    const primary = await startPrimary({ plugins: [createPrimaryServerPlugin({ feed })] });
    expect((await push(primary.url, "posts/doc")).status).toBe(200);
    expect((await push(primary.url, "posts/doc")).status).toBe(409);
    expect(published).toHaveLength(1);
  });

  it.each([
    ["never answers", () => new Promise<never>(() => {})],
    [
      "rejects",
      async () => {
        throw new Error("feed is down");
      },
    ],
    [
      "throws",
      () => {
        throw new Error("feed is down");
      },
    ],
  ])("lets a client's write succeed at once when the feed %s", async (how, publish) => {
    const errors: unknown[] = [];
    const primary = await startPrimary({
      plugins: [createPrimaryServerPlugin({ feed: feedOf(publish), onError: (error) => errors.push(error) })],
    });
    expect((await push(primary.url, "posts/doc")).status).toBe(200);
    if (how !== "never answers") await waitFor(() => errors.length === 1);
    expect(errors.map(String)).toEqual(how === "never answers" ? [] : ["Error: feed is down"]);
  });

  it("makes a process warning of an error that nobody is told about", async () => {
    const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const plugin = createPrimaryServerPlugin({ feed: feedOf(async () => Promise.reject(new Error("feed is down"))) });
    const write: WriteEvent = { collection: "posts", hash: "1", timestamp: 1, params: {} };
    await plugin.afterWrite?.(write);
    await waitFor(() => emitWarning.mock.calls.length === 1);
    emitWarning.mockRestore();
  });

  it("closes a feed that can be closed at shutdown", async () => {
    let closed = 0;
    const close = async () => {
      closed += 1;
    };
    await createPrimaryServerPlugin({ feed: { ...createMemoryFeed(), close } }).shutdown?.();
    await createPrimaryServerPlugin({ feed: createMemoryFeed() }).shutdown?.();
    expect(closed).toBe(1);
  });
});
