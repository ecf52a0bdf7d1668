import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClientSession } from "../../../src/pages/session/client-session.js";
import { createPullClient } from "../../../src/pages/session/pull-client.js";
import { createPushClient } from "../../../src/pages/session/push-client.js";
import { size } from "../../support/size.js";
import { type PlainFrame, plainDecode, plainEncode } from "../plain/plain-frames.js";
import { PlainServerSession } from "../plain/plain-server-session.js";
import { ClientMachine } from "./client-machine.js";
import { literal } from "./literal-client.js";
import { combinedHash, type Pages, pageHash, pagesOf, samePages, Wire } from "./machine-link.js";
import { pull, push, storeOf } from "./session-pairs.js";

const UNIT = 4096;
const numRuns = size({ test: 25, ci: 100, soak: 2_000 });
const seeds = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 60 });
/** A plain push of no pages is refused. */
const someSeeds = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 60 });

/** Page 1 of a database as it tells the size of its pages. */
function withHeader(pages: Pages, pageSize: number): Pages {
  const first = Buffer.from(pages[0] ?? new Uint8Array(pageSize));
  first.write("SQLite format 3\0", "latin1");
  first.writeUInt16BE(pageSize === 65_536 ? 1 : pageSize, 16);
  return [new Uint8Array(first), ...pages.slice(1)];
}

function inUnits(bytes: Uint8Array): Pages {
  return Array.from({ length: Math.ceil(bytes.length / UNIT) }, (_, i) => bytes.subarray(i * UNIT, (i + 1) * UNIT));
}

/** Our client at an original server, message by message. */
async function atPlainServer(session: ClientSession, local: Pages, server: PlainServerSession): Promise<ClientMachine> {
  const [toServer, toClient] = [new Wire(), new Wire()];
  const client = new ClientMachine(session, local, toServer, toClient);
  while (!client.isOver) {
    while (client.step());
    const message = toServer.takeBytes();
    if (message === null) {
      if (client.isOver) break;
      throw new Error("client and server wait for each other");
    }
    if (message === "ping") toClient.send("pong");
    else if (message !== "pong") {
      for (const answer of await server.receive(plainDecode(message))) toClient.sendBytes(plainEncode(answer));
    }
  }
  return client;
}

describe("a client of ours at an original server", () => {
  it("C5: pushes single frames to it, only pages that differ, and says what such a server cannot do", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, seeds, async (theirs, ours) => {
        const file = { bytes: Buffer.concat([...pagesOf(theirs, UNIT)]) };
        const local = pagesOf(ours, UNIT);
        const session = createPushClient({ pageSize: UNIT, pageCount: local.length, base: null });
        const client = await atPlainServer(session, local, new PlainServerSession(file, "push"));
        expect(client.error).toBeNull();
        expect(file.bytes.subarray(0, local.length * UNIT).equals(Buffer.concat([...local]))).toBe(true);
        const differing = ours.filter((seed, i) => seed !== theirs[i]).length;
        expect(client.outcome).toMatchObject({ version: null, pagesTransferred: differing });
        expect(client.outcome?.notices.length).toBe(theirs.length > ours.length ? 2 : 1);
      }),
      { numRuns },
    );
  });

  it("C5: has sent all that was asked for before `complete`, since such a server may end there", async () => {
    class Impatient extends PlainServerSession {
      override async receive(frame: PlainFrame): Promise<readonly PlainFrame[]> {
        const answers = await super.receive(frame);
        if (frame.kind !== "complete" || answers.length > 0) return answers;
        return [{ kind: "sync_complete", data: { pages_transferred: 0, bytes_transferred: 0 } }];
      }
    }
    const file = { bytes: Buffer.alloc(0) };
    const local = pagesOf(
      Array.from({ length: 1_100 }, (_, i) => i % 250),
      UNIT,
    );
    const session = createPushClient({ pageSize: UNIT, pageCount: local.length, base: null });
    const client = await atPlainServer(session, local, new Impatient(file, "push"));
    expect(client.error).toBeNull();
    expect(file.bytes.equals(Buffer.concat([...local]))).toBe(true);
  });

  it("C5: pulls from it, over a file of its own or over none", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.option(seeds, { nil: null }), async (theirs, ours) => {
        const file = { bytes: Buffer.concat([...pagesOf(theirs, UNIT)]) };
        const local = pagesOf(ours ?? [], UNIT);
        const session = createPullClient({ local: ours && { pageSize: UNIT, pageCount: local.length }, base: null });
        const client = await atPlainServer(session, local, new PlainServerSession(file, "pull"));
        expect(client.error).toBeNull();
        const result = theirs.map((_, i) => client.received.get(i + 1) ?? local[i] ?? new Uint8Array());
        expect(Buffer.concat(result).equals(file.bytes)).toBe(true);
        expect(client.outcome).toMatchObject({ version: null, pageCount: theirs.length });
      }),
      { numRuns },
    );
  });

  it("C5: connects again in pages of 4096 where its own are others, and the last one may be shorter", async () => {
    const bytes = Buffer.concat([...withHeader(pagesOf([1, 2, 3, 4, 5], 1024), 1024)]);
    const file = { bytes: Buffer.alloc(0) };
    const first = createPushClient({ pageSize: 1024, pageCount: 5, base: null });
    const how = (await atPlainServer(first, [], new PlainServerSession(file, "push"))).restart;
    expect(how).toEqual({ reason: "plain-server", pageSize: UNIT });
    const local = inUnits(bytes);
    const again = createPushClient({ pageSize: UNIT, pageCount: local.length, base: null, plain: true });
    expect((await atPlainServer(again, local, new PlainServerSession(file, "push"))).outcome?.changed).toBe(true);
    expect(file.bytes.equals(bytes)).toBe(true);
    const pulling = createPullClient({ local: { pageSize: 1024, pageCount: 5 }, base: null });
    expect((await atPlainServer(pulling, [], new PlainServerSession(file, "pull"))).restart).toEqual(how);
    const pulled = createPullClient({ local: null, base: null, plain: true });
    const { received } = await atPlainServer(pulled, [], new PlainServerSession(file, "pull"));
    expect(Buffer.concat([...received.values()]).equals(bytes)).toBe(true);
  });
});

describe("a session without extensions at our server", () => {
  it("S5: gets single frames, extension keys never, and ends with the same version, in both directions", () => {
    fc.assert(
      fc.property(seeds, someSeeds, fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }), (theirs, ours, turns) => {
        const store = storeOf(theirs, UNIT);
        const local = pagesOf(ours, UNIT);
        const pulled = pull(local, UNIT, store, { plain: true }, { turns });
        expect(samePages(pulled.result, store.pages)).toBe(true);
        expect(pulled.run.client.outcome?.version).toBeNull();
        const differing = ours.filter((seed, i) => seed !== theirs[i]).length;
        const pushed = push(local, UNIT, store, { plain: true }, { turns });
        expect(pushed.client.outcome).toMatchObject({ version: null, pagesTransferred: differing });
        expect(samePages(store.pages, local)).toBe(true);
        for (const { toClient } of [pulled.run, pushed]) {
          expect([...toClient.kinds.keys()].filter((kind) => /batch|pages$/.test(kind))).toEqual([]);
        }
      }),
      { numRuns },
    );
  });

  it("S5: is served in its own unit where the database has other pages", () => {
    const store = storeOf([1, 2, 3, 4, 5, 6, 7], 1024);
    const { result } = pull(pagesOf([9], UNIT), UNIT, store, { plain: true });
    expect(result.map((page) => page.length)).toEqual([UNIT, 3072]);
    expect(samePages(result, store.pages)).toBe(true);
  });

  it("S5: is taken at the word of page 1 where that has another size than was announced", () => {
    const store = storeOf([1, 2, 3], 1024);
    const local = withHeader(pagesOf([4, 2, 5, 6], 1024), 1024);
    const { client, server } = literal("push", store);
    client({ kind: "hello", protocolVersion: 1, pageSize: UNIT, maxPage: local.length, extension: null });
    local.forEach((page, i) => void client({ kind: "page_hash", pageNo: i + 1, hash: pageHash(page) }));
    client({ kind: "complete" });
    const asked = client().flatMap((frame) => (frame.kind === "request_page" ? [frame.pageNo] : []));
    expect(asked).toEqual([1, 2, 3, 4]);
    for (const pageNo of asked) client({ kind: "page_data", pageNo, data: local[pageNo - 1] ?? new Uint8Array() });
    expect(client().map((frame) => frame.kind)).toEqual(["sync_complete"]);
    expect(server.error).toBeNull();
    expect(store.pageSize).toBe(1024);
    expect(samePages(store.pages, local)).toBe(true);
  });

  it("S5: is taken at the word of page 1 where that is the only page, and longer than was announced", () => {
    const store = storeOf([], UNIT, 0);
    const [page = new Uint8Array()] = withHeader(pagesOf([4], 8192), 8192);
    const { client, server } = literal("push", store);
    client({ kind: "hello", protocolVersion: 1, pageSize: UNIT, maxPage: 1, extension: null });
    client({ kind: "page_hash", pageNo: 1, hash: pageHash(page) });
    client({ kind: "complete" });
    client({ kind: "page_data", pageNo: 1, data: page });
    expect(server.error).toBeNull();
    expect(client().at(-1)?.kind).toBe("sync_complete");
    expect(samePages(store.pages, [page])).toBe(true);
  });

  it("S5: has no pages of two sizes", () => {
    const local = withHeader(pagesOf([4, 2], 1024), 1024);
    const { client, server } = literal("push", storeOf([], UNIT, 0));
    client({ kind: "hello", protocolVersion: 1, pageSize: UNIT, maxPage: 2, extension: null });
    client({ kind: "complete" });
    client({ kind: "page_data", pageNo: 1, data: local[0] ?? new Uint8Array() });
    client({ kind: "page_data", pageNo: 2, data: new Uint8Array(UNIT) });
    expect(server.error).toMatchObject({ code: "PAGE_PROTOCOL", message: expect.stringContaining("4096 bytes") });
  });

  it("S5: gets batches once it has sent one: all pages of a range that differs", () => {
    const local = pagesOf([1, 2, 3, 9, 5], UNIT);
    const range = {
      kind: "page_hash_batch",
      startPage: 1,
      endPage: 3,
      combinedHash: combinedHash(local, 1, 3),
    } as const;
    const rest = {
      kind: "page_hash_batch",
      startPage: 4,
      endPage: 5,
      combinedHash: combinedHash(local, 4, 5),
    } as const;
    const pushing = literal("push", storeOf([1, 2, 3, 4, 5], UNIT)).client;
    pushing({ kind: "hello", protocolVersion: 1, pageSize: UNIT, maxPage: 5, extension: null });
    pushing(range);
    pushing(rest);
    expect(pushing().at(-1)).toEqual({ kind: "request_pages", pageNumbers: [4, 5] });
    const pulling = literal("pull", storeOf([1, 2, 3, 4, 5], UNIT)).client;
    pulling({ kind: "hello", protocolVersion: 1, pageSize: UNIT, maxPage: 5, extension: null });
    pulling(range);
    pulling(rest);
    pulling({ kind: "complete" });
    expect(pulling().map((frame) => frame.kind)).toEqual(["hello_reply", "page_data_batch", "sync_complete"]);
  });
});
