import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import type { Frame } from "../../../src/pages/protocol/frame.js";
import type { ClientSession } from "../../../src/pages/session/client-session.js";
import { closeReason } from "../../../src/pages/session/close-reason.js";
import { createPullClient } from "../../../src/pages/session/pull-client.js";
import { createPullServer } from "../../../src/pages/session/pull-server.js";
import { createPushClient } from "../../../src/pages/session/push-client.js";
import { literal } from "./literal-client.js";
import { pageHash, pagesOf } from "./machine-link.js";
import { storeOf } from "./session-pairs.js";

const SIZE = 512;
const PAGES = pagesOf([1, 2, 3], SIZE);
const HASH = new Uint8Array(32);
const extension = { database: "d1", generation: 3, force: false };
const hello: Frame = { kind: "hello", protocolVersion: 1, pageSize: SIZE, maxPage: 4, extension };
const plainHello: Frame = { ...hello, extension: null };
const complete: Frame = { kind: "complete" };
const range = (startPage: number, endPage: number): Frame => ({
  kind: "page_hash_batch",
  startPage,
  endPage,
  combinedHash: HASH,
});
const named = (pageNo: number): Frame => ({ kind: "page_hash", pageNo, hash: HASH });
const page = (pageNo: number, bytes: number = SIZE): Frame => ({
  kind: "page_data",
  pageNo,
  data: new Uint8Array(bytes),
});
const reply: Frame = {
  kind: "hello_reply",
  protocolVersion: 1,
  pageSize: SIZE,
  maxPage: 3,
  extension: { database: "d1", generation: 3, rootHash: HASH },
};
const end: Frame = {
  kind: "sync_complete",
  pagesTransferred: 0,
  bytesTransferred: 0,
  extension: { generation: 3, rootHash: HASH },
};

describe("a server's session", () => {
  it.each(["push", "pull"] as const)(
    "S1: refuses a token for the other direction before anything else: a %s token",
    (direction) => {
      const store = storeOf([1, 2, 3], SIZE);
      const { client, server } = literal(direction, store);
      const other = direction === "push" ? "pull" : "push";
      client({ ...hello, maxPage: 0, extension: { ...extension, force: true, direction: other } } as Frame);
      const message = `The token is for a ${direction}, and this is a ${other}.`;
      expect(server.error).toMatchObject({ code: "INVALID_TOKEN", message });
    },
  );

  it.each<[string, "push" | "pull", Frame[], RegExp]>([
    ["anything before hello", "push", [complete], /before `hello`/],
    ["anything before hello in a pull", "pull", [named(1)], /before `hello`/],
    ["another version", "push", [{ ...hello, protocolVersion: 2 } as Frame], /version 1 .* the client version 2/],
    ["hello twice", "push", [hello, hello], /`hello` may not come/],
    ["hello twice in a pull", "pull", [hello, hello], /`hello` may not come/],
    ["a page size of 0", "push", [{ ...hello, pageSize: 0 } as Frame], /`page_size` is 0/],
    ["a page size that is no power of two", "pull", [{ ...hello, pageSize: 1000 } as Frame], /`page_size`/],
    ["a page size beyond SQLite's", "push", [{ ...hello, pageSize: 131_072 } as Frame], /`page_size`/],
    ["a hash of a page behind the last one", "push", [hello, named(5)], /Page 5 was named, and the last one is 4/],
    ["a range behind the last page", "push", [hello, range(2, 2 ** 32 - 2)], /the last one is 4/],
    ["a range behind the last page in a pull", "pull", [hello, range(2, 2 ** 32 - 2)], /the last one is 4/],
    ["a page in a pull", "pull", [hello, page(1)], /may not come in a pull/],
    ["pages in a pull", "pull", [hello, { kind: "page_data_batch", pages: [] }], /may not come in a pull/],
    ["what only servers say", "push", [hello, { kind: "request_page", pageNo: 1 }], /may not come in a push/],
    ["the end of a sync", "pull", [hello, end], /may not come in a pull/],
    ["a page that was not asked for", "push", [hello, page(1)], /was not asked for/],
    [
      "a page that is equal already",
      "push",
      [hello, { kind: "page_hash", pageNo: 1, hash: pageHash(PAGES[0] ?? HASH) }, page(1)],
      /was not asked for/,
    ],
    ["a page twice", "push", [hello, named(1), page(1), page(1)], /has come already/],
    [
      "a page twice in one batch",
      "push",
      [
        hello,
        named(1),
        { kind: "page_data_batch", pages: [1, 1].map((pageNo) => ({ pageNo, data: new Uint8Array(SIZE) })) },
      ],
      /has come already/,
    ],
    ["a page that is too short", "push", [hello, named(4), page(4, SIZE - 1)], /with 511 bytes/],
    ["a page that is too long", "push", [plainHello, named(1), page(1, SIZE * 2)], /with 1024 bytes/],
    ["an empty last page", "push", [plainHello, named(4), page(4, 0)], /with 0 bytes/],
    ["a hash after complete", "push", [hello, complete, named(1)], /after `complete`/],
    ["a range after complete", "push", [hello, complete, range(1, 4)], /after `complete`/],
    ["a plain push of no pages", "push", [{ ...plainHello, maxPage: 0 } as Frame], /would empty the database/],
    ["complete twice", "push", [hello, complete, complete], /after `complete`/],
  ])("S1: refuses %s (%#)", (_what, direction, frames, message) => {
    const store = storeOf([1, 2, 3], SIZE);
    const { client, server } = literal(direction, store);
    for (const frame of frames) client(frame);
    expect(server.error).toMatchObject({ code: "PAGE_PROTOCOL", message: expect.stringMatching(message) });
    const words = (server.error as ReplicaError).message;
    expect(client().at(-1)).toMatchObject({ kind: "error", message: words });
    expect(store.generation).toBe(3);
  });

  it("S1: takes nothing more after the end of a pull", () => {
    const session = createPullServer({ database: "d1" });
    session.receive(hello);
    session.opened({ generation: 0, pageSize: 0, pageCount: 0, rootHash: null });
    session.receive(complete);
    expect(() => session.receive(complete)).toThrow("after `complete`");
    expect(session.idle().map((effect) => effect.do)).toEqual(["send", "finish"]);
    expect(() => session.receive(complete)).toThrow("after the end");
  });

  it("S7: refuses a database that is larger than allowed in hello, before anything is opened", () => {
    const { client, server } = literal("push", storeOf([], SIZE, 0), 4 * SIZE - 1);
    client(hello);
    expect(server.error).toMatchObject({ code: "QUOTA_EXCEEDED", message: expect.stringContaining("2048 bytes") });
    const absurd = literal("push", storeOf([], SIZE, 0));
    absurd.client({ ...hello, maxPage: 2 ** 32 - 2 } as Frame);
    expect(absurd.server.error).toMatchObject({ code: "QUOTA_EXCEEDED" });
  });

  it("S7: compares no more hashes than an honest client could ask for", () => {
    const session = createPullServer({ database: "d1" });
    session.receive(hello);
    session.opened({ generation: 1, pageSize: SIZE, pageCount: 1_000_000, rootHash: HASH });
    let ranges = 0;
    const ask = (): void => {
      for (; ranges < 1000; ranges += 1) session.receive(range(1, 1_000_000));
    };
    expect(ask).toThrow("far more hashes");
    expect(ranges).toBe(65);
  });

  it("S7: compares no more hashes for a client that claims to have a great many pages", () => {
    const session = createPullServer({ database: "d1" });
    session.receive({ ...hello, maxPage: 2 ** 32 - 2 } as Frame);
    session.opened({ generation: 1, pageSize: SIZE, pageCount: 1_000_000, rootHash: HASH });
    const ask = (): void => {
      for (let ranges = 0; ranges < 1000; ranges += 1) session.receive(range(1, 1_000_000));
    };
    expect(ask).toThrow("far more hashes");
  });

  it("S7: lets a client name each page that it has, however many more than the stored version", () => {
    const session = createPullServer({ database: "d1" });
    session.receive({ ...plainHello, maxPage: 2_000_000 } as Frame);
    session.opened({ generation: 1, pageSize: SIZE, pageCount: 1, rootHash: HASH });
    let effects = 0;
    for (let pageNo = 2; pageNo <= 2_000_000; pageNo += 1) effects += session.receive(named(pageNo)).length;
    expect(effects).toBe(0);
  });

  it("S7: ends where the client gives up, and says nothing", () => {
    const { client, server } = literal("push", storeOf([], SIZE, 0));
    client(hello);
    client();
    client({ kind: "error", message: "enough" });
    expect(server.isFinished).toBe(true);
    expect(client()).toEqual([]);
  });

  it("S8: says words alone, and what a client does something about as the reason of the close", () => {
    for (const first of [hello, plainHello]) {
      const { client, server } = literal("push", storeOf([1], SIZE));
      client(first);
      client(page(1));
      const { message } = server.error as ReplicaError;
      expect(client().at(-1)).toStrictEqual({ kind: "error", message });
    }
    const reasons = (["GENERATION_CONFLICT", "INVALID_TOKEN", "PAGE_PROTOCOL", "PAGE_STORE"] as const).map((code) =>
      closeReason(new ReplicaError(code, "/srv/secret")),
    );
    expect(reasons).toEqual(["GENERATION_CONFLICT", "INVALID_TOKEN", "", ""]);
    expect(closeReason(new Error("/srv/secret"))).toBe("");
  });

  it("S8: does not tell a client what went wrong inside", () => {
    const session = createPullServer({ database: "d1" });
    session.receive(hello);
    const words = (error: unknown): unknown => session.failed(error);
    expect(words(new Error("/srv/secret"))).toEqual({ kind: "error", message: "The server failed." });
    expect(words(new ReplicaError("PAGE_STORE", "/srv/secret"))).toEqual({
      kind: "error",
      message: "The server failed.",
    });
    expect(words(new ReplicaError("STOPPED", "x"))).toMatchObject({ message: expect.stringContaining("was stopped") });
  });
});

describe("a client's session, where something fails here", () => {
  it("S8: tells the server what the server did, and no path of this machine", () => {
    const session = createPushClient({ pageSize: SIZE, pageCount: 1, base: null });
    for (const code of ["NOT_A_DATABASE", "INTEGRITY_FAILED", "LOCAL_DATABASE"] as const) {
      const error = new ReplicaError(code, "/home/someone/secret.db is cut short");
      expect(session.failed(error)).toEqual({ kind: "error", message: "The client failed." });
    }
    const broken = new ReplicaError("PAGE_PROTOCOL", "The server sent page 4 of 3.");
    expect(session.failed(broken)).toStrictEqual({ kind: "error", message: broken.message });
  });
});

type Step = (session: ClientSession) => unknown;
const take =
  (frame: Frame): Step =>
  (session) =>
    session.receive(frame);
const idle: Step = (session) => session.idle();
const equalAll: Step = take({ kind: "hash_mismatch_batch", pageNumbers: [] });
const plainReply = { ...reply, pageSize: 4096, extension: null } as Frame;

describe("a client's session", () => {
  it.each<[string, "push" | "pull", Step[], RegExp]>([
    ["anything before hello_reply", "push", [take(end)], /before `hello_reply`/],
    ["hello_reply twice", "push", [take(reply), take(reply)], /`hello_reply` may not come/],
    ["hello_reply twice in a pull", "pull", [take(reply), take(reply)], /`hello_reply` may not come/],
    [
      "another version",
      "pull",
      [take({ ...reply, protocolVersion: 3 } as Frame)],
      /version 3 .* this client version 1/,
    ],
    ["a page in a push", "push", [take(reply), take(page(1))], /may not come in a push/],
    ["what only clients say", "pull", [take(reply), take(named(1))], /may not come in a pull/],
    ["a request in a pull", "pull", [take(reply), take({ kind: "request_page", pageNo: 1 })], /may not come in a pull/],
    [
      "a request for a page that is not there",
      "push",
      [take(reply), take({ kind: "request_page", pageNo: 4 })],
      /asked for page 4 of 3/,
    ],
    [
      "a request that comes twice",
      "push",
      [take(reply), take({ kind: "request_pages", pageNumbers: [2, 2] })],
      /asked twice for page 2/,
    ],
    ["an answer that nobody asked for", "push", [take(reply), equalAll], /nobody asked about/],
    [
      "an answer about other pages",
      "pull",
      [take(reply), idle, take({ kind: "hash_mismatch_batch", pageNumbers: [2] })],
      /out of order/,
    ],
    [
      "an answer with three pages",
      "push",
      [take(reply), idle, take({ kind: "hash_mismatch_batch", pageNumbers: [1, 3, 3] })],
      /out of order/,
    ],
    [
      "a mismatch where ranges are answered",
      "pull",
      [take(reply), take({ kind: "hash_mismatch", pageNo: 1 })],
      /answers ranges/,
    ],
    ["pages that cannot be", "pull", [take({ ...reply, pageSize: 3 } as Frame)], /have 3 bytes/],
    ["a page behind the last one", "pull", [take(reply), take(page(4))], /page 4 of 3/],
    ["a page of another size", "pull", [take(reply), take(page(3, 100))], /has 100 bytes/],
    ["a page twice", "pull", [take(reply), take(page(3)), take(page(3))], /page 3 twice/],
    ["the end before complete", "push", [take(reply), take(end)], /before `complete`/],
    ["the end before complete, of a pull", "pull", [take(reply), take(end)], /before `complete`/],
    [
      "the end before pages that were asked for",
      "push",
      [take(reply), idle, equalAll, idle, take({ kind: "request_page", pageNo: 1 }), take(end)],
      /before the pages/,
    ],
    [
      "an end without a page that is not here",
      "pull",
      [take(reply), idle, equalAll, idle, take(end)],
      /without sending page 3/,
    ],
    [
      "an end about another generation",
      "pull",
      [
        take(reply),
        idle,
        equalAll,
        idle,
        take(page(3)),
        take({ ...end, extension: { generation: 4, rootHash: HASH } } as Frame),
      ],
      /another generation/,
    ],
    [
      "an end that does not say what was made",
      "push",
      [take(reply), idle, equalAll, idle, take({ ...end, extension: null } as Frame)],
      /which generation/,
    ],
  ])("C1: refuses %s (%#)", (_what, direction, steps, message) => {
    const base = { database: "d1", generation: 3 };
    const local = { pageSize: SIZE, pageCount: 2 };
    const session =
      direction === "push"
        ? createPushClient({ pageSize: SIZE, pageCount: 3, base })
        : createPullClient({ local, base });
    session.open();
    let error: unknown = null;
    try {
      for (const step of steps) step(session);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "PAGE_PROTOCOL", message: expect.stringMatching(message) });
    expect(session.failed(error)).toMatchObject({ kind: "error", message: expect.stringMatching(message) });
  });

  it("C1: takes nothing more after the end", () => {
    const session = createPushClient({ pageSize: SIZE, pageCount: 3, base: null });
    expect(() => session.receive(reply)).toThrow("outside of a sync");
    session.open();
    for (const step of [take(reply), idle, equalAll, idle, take(end)]) step(session);
    expect(session.idle()).toEqual([]);
    expect(() => session.receive(end)).toThrow("outside of a sync");
  });

  it("C1: refuses a server that counts in other pages than it was told", () => {
    const session = createPushClient({ pageSize: 4096, pageCount: 1, base: null });
    session.open();
    expect(() => session.receive({ ...plainReply, pageSize: 1024 } as Frame)).toThrow("pages of 1024 bytes");
  });

  it("C5: does not mind what an original server says besides", () => {
    const session = createPullClient({ local: { pageSize: 4096, pageCount: 3 }, base: null });
    for (const step of [(s: ClientSession) => s.open(), take(plainReply), idle]) step(session);
    expect(session.receive({ kind: "hash_mismatch", pageNo: 1 })).toEqual([]);
    expect(session.receive({ kind: "hash_mismatch_batch", pageNumbers: [1, 2, 3] })).toEqual([]);
  });

  it("P7: has at most 64 ranges without an answer", () => {
    const session = createPushClient({ pageSize: SIZE, pageCount: 1_000_000, base: null });
    for (const step of [(s: ClientSession) => s.open(), take({ ...reply, maxPage: 1_000_000 } as Frame)]) step(session);
    const unanswered: number[] = [];
    for (let answers = 0; answers < 5_000; answers += 1) {
      for (const effect of session.idle()) if (effect.do === "send-range") unanswered.push(effect.startPage);
      expect(unanswered.length).toBeLessThanOrEqual(64);
      const startPage = unanswered.shift();
      if (startPage !== undefined) session.receive({ kind: "hash_mismatch_batch", pageNumbers: [startPage] });
    }
    expect(unanswered.length).toBe(63);
  });
});
