import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import type { Frame } from "../../../src/pages/protocol/frame.js";
import type { ClientSession } from "../../../src/pages/session/client-session.js";
import { createPullClient } from "../../../src/pages/session/pull-client.js";
import { createPushClient } from "../../../src/pages/session/push-client.js";
import { size } from "../../support/size.js";
import { literal } from "./literal-client.js";
import { combinedHash, pageHash, pagesOf, samePages } from "./machine-link.js";
import { storeOf } from "./session-pairs.js";

const SIZE = 512;
const numRuns = size({ test: 400, ci: 3_000, soak: 100_000 });
/** Pages 1 to 6, of seeds that are stored and seeds that are not. */
const pageNo = fc.integer({ min: 1, max: 6 });
const data = fc.integer({ min: 1, max: 8 }).map((seed) => new Uint8Array(SIZE).fill(seed));
const numbers = fc.array(pageNo, { maxLength: 3 });
const hash = data.map(pageHash);
const extension = fc.option(
  fc.record({
    database: fc.constantFrom("d1", "d2", null),
    generation: fc.constantFrom(null, 2, 3),
    force: fc.boolean(),
  }),
);
const replyExtension = fc.option(
  fc.record({ database: fc.constant("d1"), generation: fc.constantFrom(3, 4), rootHash: hash }),
);
const facts = {
  protocolVersion: fc.constant(1),
  pageSize: fc.constantFrom(SIZE, SIZE, 4096),
  maxPage: fc.nat({ max: 6 }),
};

const clientFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constant("page_hash" as const), pageNo, hash }),
  fc.tuple(pageNo, pageNo, fc.boolean()).map(([a, b, isEqual]): Frame => {
    const [startPage, endPage] = [Math.min(a, b), Math.max(a, b)];
    const pages = pagesOf([1, 2, 3, 4, 5, 6], SIZE);
    const combined = isEqual ? combinedHash(pages, startPage, endPage) : new Uint8Array(32);
    return { kind: "page_hash_batch", startPage, endPage, combinedHash: combined };
  }),
  fc.record({ kind: fc.constant("page_data" as const), pageNo, data }),
  fc.record({
    kind: fc.constant("page_data_batch" as const),
    pages: fc.array(fc.record({ pageNo, data }), { maxLength: 3 }),
  }),
  fc.constant<Frame>({ kind: "complete" }),
);
const serverFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constantFrom("request_page" as const, "hash_mismatch" as const), pageNo }),
  fc.record({ kind: fc.constantFrom("request_pages" as const, "hash_mismatch_batch" as const), pageNumbers: numbers }),
  fc.record({ kind: fc.constant("page_data" as const), pageNo, data }),
  fc.record({
    kind: fc.constant("sync_complete" as const),
    pagesTransferred: fc.nat(),
    bytesTransferred: fc.nat(),
    extension: fc.option(fc.record({ generation: fc.constantFrom(3, 4), rootHash: hash })),
  }),
);

describe("frames at random", () => {
  it("S1: leave a server with its own version or a whole new one, and give nothing but errors of ours", () => {
    const begin = fc.record({ kind: fc.constant("hello" as const), ...facts, extension });
    let commits = 0;
    fc.assert(
      fc.property(
        fc.constantFrom("push" as const, "pull" as const),
        begin,
        fc.array(clientFrame, { maxLength: 25 }),
        (direction, hello, frames) => {
          const store = storeOf([1, 2, 3, 4, 5, 6], SIZE);
          const before = store.pages;
          const { client, server } = literal(direction, store);
          for (const frame of [hello, ...frames]) client(frame);
          if (server.error !== null) expect(server.error).toBeInstanceOf(ReplicaError);
          commits += server.commits;
          if (server.commits === 0) expect(samePages(store.pages, before)).toBe(true);
          else expect(store).toMatchObject({ generation: 4, pages: { length: hello.maxPage } });
          if (direction === "pull") expect(server.commits).toBe(0);
        },
      ),
      { numRuns },
    );
    // Else this would show nothing.
    expect(commits).toBeGreaterThan(0);
  });

  it("C1: leave a client with effects or an error of ours, and with an end only where all pages are here", () => {
    const begin = fc.record({ kind: fc.constant("hello_reply" as const), ...facts, extension: replyExtension });
    fc.assert(
      fc.property(fc.boolean(), begin, fc.array(fc.option(serverFrame), { maxLength: 25 }), (isPull, reply, frames) => {
        const session: ClientSession = isPull
          ? createPullClient({ local: { pageSize: SIZE, pageCount: 2 }, base: null })
          : createPushClient({ pageSize: SIZE, pageCount: 6, base: null });
        session.open();
        const stored = new Set<number>([1, 2]);
        try {
          for (const frame of [reply, ...frames]) {
            for (const effect of frame === null ? session.idle() : session.receive(frame)) {
              if (effect.do === "store-pages") for (const page of effect.pages) stored.add(page.pageNo);
              if (effect.do !== "finish" || !isPull) continue;
              for (let page = 1; page <= effect.outcome.pageCount; page += 1) expect(stored.has(page)).toBe(true);
            }
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ReplicaError);
        }
      }),
      { numRuns },
    );
  });
});
