import { describe, expect, it } from "vitest";
import type { ChangeEvent } from "../../src/feeds/change-feed.js";
import { createMemoryFeed } from "../../src/feeds/memory-feed.js";
import { registerChangeFeedTests } from "./change-feed-conformance.js";
import { subscribed } from "./recording-handler.js";

let hash = 0;

registerChangeFeedTests("createMemoryFeed", async () => {
  const feed = createMemoryFeed();
  return {
    feed,
    async write(where = "posts") {
      const [collection = "", namespace = null] = where.split("/").reverse();
      const written = { collection, namespace, key: `${collection}/doc`, hash: `hash ${++hash}` };
      await feed.publish({ ...written, timestamp: Date.now(), params: { secret: "stays" } });
      return written;
    },
  };
});

describe("createMemoryFeed", () => {
  it("does not run handlers inside publish", async () => {
    const feed = createMemoryFeed();
    const handler = await subscribed(feed);
    const published = feed.publish({ collection: "a", namespace: null, key: "a", hash: "1", timestamp: 1 });
    expect(handler.events).toEqual([]);
    await published;
    await handler.heard("1");
  });

  it.each([null, "x", {}, { collection: "a", namespace: null, key: "a", hash: "1", timestamp: Number.NaN }])(
    "refuses to publish what is no event: %j",
    async (value) => {
      await expect(createMemoryFeed().publish(value as unknown as ChangeEvent)).rejects.toThrow(TypeError);
    },
  );
});
