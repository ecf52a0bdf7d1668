import { describe, expect, it, vi } from "vitest";
import type { ChangeFeed } from "../../src/feeds/change-feed.js";
import { waitFor } from "../support/wait.js";
import { recordingHandler, subscribed } from "./recording-handler.js";

/** A feed with somebody who writes at its far end. */
export interface FeedSetup {
  /** What subscribers use. */
  readonly feed: ChangeFeed;
  /** Makes a write that is announced on the feed. Root collections `posts` and `pages`, and `posts` of the namespace `eu`. */
  write(
    collection?: "posts" | "pages" | "eu/posts",
  ): Promise<{ collection: string; namespace: string | null; key: string; hash: string }>;
}

/** A feed whose two ends can be cut from each other. */
export interface CuttableFeedSetup extends FeedSetup {
  /** Resolves when `write` would be missed. */
  cut(): Promise<void>;
  /** Ends the cut. */
  mend(): Promise<void>;
}

/** What every `ChangeFeed` promises. A feed's test file calls this with a way to set one up; the setup ends with the test. */
export function registerChangeFeedTests(name: string, setUp: () => Promise<FeedSetup>): void {
  describe(`${name} as a change feed`, () => {
    it("begins with a gap, then delivers a write with its five members and nothing else", async () => {
      const { feed, write } = await setUp();
      const handler = await subscribed(feed);
      const before = Date.now();
      const written = await write("posts");
      await handler.heard(written.hash);
      expect(handler.story).toEqual(["gap", written.hash]);
      expect(handler.events).toEqual([{ ...written, timestamp: expect.any(Number) }]);
      expect(Math.abs((handler.events[0]?.timestamp ?? 0) - before)).toBeLessThan(10_000);
    });

    it("says which namespace a write was in", async () => {
      const { feed, write } = await setUp();
      const handler = await subscribed(feed);
      const inNamespace = await write("eu/posts");
      const inRoot = await write("posts");
      await handler.heard(inRoot.hash);
      expect(handler.events).toMatchObject([inNamespace, inRoot]);
      expect(handler.events.map(({ namespace }) => namespace)).toEqual(["eu", null]);
    });

    it("delivers the writes of one publisher in order, each once, while nothing goes wrong", async () => {
      const { feed, write } = await setUp();
      const handler = await subscribed(feed);
      const hashes: string[] = [];
      for (let n = 0; n < 50; n++) hashes.push((await write(n % 3 === 0 ? "pages" : "posts")).hash);
      await handler.heard(hashes.at(-1) ?? "");
      expect(handler.hashes).toEqual(hashes);
      expect(handler.gaps).toBe(1);
    });

    it("delivers to each of several subscribers", async () => {
      const { feed, write } = await setUp();
      const handlers = await Promise.all(Array.from({ length: 5 }, () => subscribed(feed)));
      const hashes = [(await write()).hash, (await write("pages")).hash, (await write()).hash];
      for (const handler of handlers) {
        await handler.heard(hashes[2] ?? "");
        expect(handler.story).toEqual(["gap", ...hashes]);
      }
    });

    it("gives a later subscriber a gap of its own, nothing from before, and the others nothing", async () => {
      const { feed, write } = await setUp();
      const first = await subscribed(feed);
      const early = await write();
      await first.heard(early.hash);
      const second = await subscribed(feed);
      const late = await write();
      await Promise.all([first.heard(late.hash), second.heard(late.hash)]);
      expect(first.story).toEqual(["gap", early.hash, late.hash]);
      expect(second.story).toEqual(["gap", late.hash]);
    });

    it.each([
      ["its subscription is disposed of", async (one: AsyncDisposable) => one[Symbol.asyncDispose]()],
      ["its signal aborts", async (one: { abort(): void }) => one.abort()],
    ])("tells a handler nothing more once %s, and the others go on", async (_when, leave) => {
      const { feed, write } = await setUp();
      const leaving = await subscribed(feed);
      const staying = await subscribed(feed);
      await leave(leaving);
      const written = await write();
      await staying.heard(written.hash);
      expect(leaving.story).toEqual(["gap"]);
    });

    it("can be disposed of again and after its signal aborted", async () => {
      const { feed, write } = await setUp();
      const handler = await subscribed(feed);
      const other = await subscribed(feed);
      handler.abort();
      await handler[Symbol.asyncDispose]();
      await handler[Symbol.asyncDispose]();
      await other.heard((await write()).hash);
    });

    it("never begins with a signal that has aborted", async () => {
      const { feed, write } = await setUp();
      const never = recordingHandler();
      const subscription = feed.subscribe(never, AbortSignal.abort());
      const other = await subscribed(feed);
      await other.heard((await write()).hash);
      await subscription[Symbol.asyncDispose]();
      expect(never.story).toEqual([]);
    });

    it("takes subscribers again after the last one has left", async () => {
      const { feed, write } = await setUp();
      await (await subscribed(feed))[Symbol.asyncDispose]();
      await write();
      const handler = await subscribed(feed);
      const written = await write();
      await handler.heard(written.hash);
      expect(handler.story).toEqual(["gap", written.hash]);
    });

    it("goes on when a handler throws or rejects, and makes a warning of it", async () => {
      const { feed, write } = await setUp();
      const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      const warnings = () => emitWarning.mock.calls.map(([warning]) => String(warning));
      const end = new AbortController();
      feed.subscribe(
        {
          change: () => {
            throw new Error("change failed");
          },
          gap: async () => {
            throw new Error("gap failed");
          },
        },
        end.signal,
      );
      const handler = await subscribed(feed);
      const hashes = [(await write()).hash, (await write()).hash];
      await handler.heard(hashes[1] ?? "");
      expect(handler.hashes).toEqual(hashes);
      await waitFor(() => warnings().filter((text) => text === "Error: change failed").length === 2);
      expect(warnings()).toContain("Error: gap failed");
      emitWarning.mockRestore();
      end.abort();
    });

    it("lets a handler leave, and another come, in the middle of a delivery", async () => {
      const { feed, write } = await setUp();
      const end = new AbortController();
      const newcomer = recordingHandler();
      const story: string[] = [];
      feed.subscribe(
        {
          gap: () => story.push("gap"),
          change: ({ hash }) => {
            story.push(hash);
            end.abort();
            feed.subscribe(newcomer, last.signal);
          },
        },
        end.signal,
      );
      const last = new AbortController();
      const handler = await subscribed(feed);
      await waitFor(() => story.length === 1);
      const first = await write();
      await handler.heard(first.hash);
      await newcomer.gapped();
      const second = await write();
      await newcomer.heard(second.hash);
      expect(story).toEqual(["gap", first.hash]);
      expect(newcomer.story).toEqual(["gap", second.hash]);
      last.abort();
    });
  });
}

/** What a `ChangeFeed` with a way between its ends promises besides. */
export function registerCuttableFeedTests(name: string, setUp: () => Promise<CuttableFeedSetup>): void {
  describe(`${name} as a change feed that can be cut`, () => {
    it("delivers what was missed, or says that there is a gap, and goes on", async () => {
      const { feed, write, cut, mend } = await setUp();
      const handlers = [await subscribed(feed), await subscribed(feed)];
      for (let round = 1; round <= 3; round++) {
        const before = handlers.map(({ gaps }) => gaps);
        await cut();
        const missed = await write();
        await mend();
        for (const [i, handler] of handlers.entries()) {
          await waitFor(() => handler.gaps > (before[i] ?? 0) || handler.hashes.includes(missed.hash), {
            what: "the news",
          });
        }
        const later = await write();
        for (const handler of handlers) await handler.heard(later.hash);
      }
    });

    it("says nothing of its own to a subscriber that leaves while it is cut, and connects for the next one", async () => {
      const { feed, write, cut, mend } = await setUp();
      const handler = await subscribed(feed);
      await cut();
      await handler[Symbol.asyncDispose]();
      const next = recordingHandler();
      const end = new AbortController();
      feed.subscribe(next, end.signal);
      await mend();
      await next.gapped();
      const written = await write();
      await next.heard(written.hash);
      expect(handler.story).toEqual(["gap"]);
      expect(next.story).toEqual(["gap", written.hash]);
      end.abort();
    });
  });
}
