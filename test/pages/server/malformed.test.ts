import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeFrame } from "../../../src/pages/protocol/encode-frame.js";
import type { Frame } from "../../../src/pages/protocol/frame.js";
import { MAX_FRAME_BYTES } from "../../../src/pages/protocol/limits.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { connectRawPeer, type RawPeer } from "./raw-peer.js";
import { FRESH, makeDatabase, pageOf, pushWhole } from "./simple-sync.js";
import { type SyncServer, startSyncServer } from "./sync-server.js";

const dir = tempDir();
const file = makeDatabase(join(dir, "a.db"), { pages: 12 });
const pageCount = file.byteLength / 4096;
const hash = new Uint8Array(32);

let server: SyncServer;
beforeAll(async () => {
  server = await startSyncServer({ dir: tempDir() });
  await pushWhole(await connectRawPeer(server.url, server.token("push")), file, 4096);
});

const hello = (facts: Partial<Extract<Frame, { kind: "hello" }>> = {}): Frame => ({
  kind: "hello",
  protocolVersion: 1,
  pageSize: 4096,
  maxPage: pageCount,
  extension: FRESH,
  ...facts,
});
const sending =
  (...frames: readonly Frame[]) =>
  (peer: RawPeer): void =>
    peer.send(...frames);
const bytes =
  (...list: readonly Uint8Array[]) =>
  (peer: RawPeer): void => {
    for (const one of list) peer.socket.send(one);
  };
const page = (pageNo: number): Frame => ({ kind: "page_data", ...pageOf(file, 4096, pageNo) });

type Attempt = (peer: RawPeer) => void;
const INSIDE: Readonly<Record<string, Attempt>> = {
  "an empty message": bytes(new Uint8Array()),
  "random bytes": bytes(Buffer.from("9f3a8812ffed", "hex")),
  "another version byte": bytes(Buffer.concat([Buffer.of(2), encodeFrame({ kind: "complete" }).subarray(1)])),
  "a frame that is cut short": bytes(encodeFrame(hello()).subarray(0, -3)),
  "a frame with something behind it": bytes(Buffer.concat([encodeFrame({ kind: "complete" }), Buffer.of(0)])),
  "a second hello": sending(hello(), hello()),
  "a hash before the hello": sending({ kind: "page_hash", pageNo: 1, hash }),
  "complete before the hello": sending({ kind: "complete" }),
  "complete twice": sending(hello(), { kind: "complete" }, { kind: "complete" }),
  "another protocol version": sending(hello({ protocolVersion: 2 })),
  "a page size that is no power of two": sending(hello({ pageSize: 1000 })),
  "a page size of 0": sending(hello({ pageSize: 0, maxPage: 0 })),
  "the hash of page 0": sending(hello(), { kind: "page_hash", pageNo: 0, hash }),
  "the hash of a page behind the last": sending(hello(), { kind: "page_hash", pageNo: pageCount + 1, hash }),
  "a range that ends before it starts": sending(hello(), {
    kind: "page_hash_batch",
    startPage: 5,
    endPage: 4,
    combinedHash: hash,
  }),
  "a range behind the last page": sending(hello(), {
    kind: "page_hash_batch",
    startPage: 1,
    endPage: 2 ** 32,
    combinedHash: hash,
  }),
  "what only servers say": sending(hello(), { kind: "request_page", pageNo: 1 }),
};
const PUSHING: Readonly<Record<string, Attempt>> = {
  "more pages than the database may have": sending(hello({ maxPage: 2 ** 40 })),
  "a page that nobody asked for": sending(hello(), page(3)),
  "page 0": sending(hello(), { kind: "complete" }, { ...page(1), pageNo: 0 } as Frame),
  "a page behind the last": sending(hello(), { kind: "complete" }, { ...page(1), pageNo: pageCount + 1 } as Frame),
  "a page twice": sending(hello(), { kind: "complete" }, page(2), page(2)),
  "a page that is too short": sending(hello(), { kind: "complete" }, {
    kind: "page_data",
    pageNo: 2,
    data: new Uint8Array(4095),
  } as Frame),
  "a page that is too long": sending(hello(), { kind: "complete" }, {
    kind: "page_data",
    pageNo: 2,
    data: new Uint8Array(8192),
  } as Frame),
  "no SQLite database": sending(hello({ maxPage: 1 }), { kind: "complete" }, {
    kind: "page_data",
    pageNo: 1,
    data: new Uint8Array(4096),
  } as Frame),
};
const PULLING: Readonly<Record<string, Attempt>> = {
  "a page where pages are pulled": sending(hello(), page(1)),
};

describe("what a peer may not send", () => {
  const rows = [
    ...Object.entries(INSIDE).flatMap(([name, attempt]) => [
      { direction: "push" as const, name, attempt },
      { direction: "pull" as const, name, attempt },
    ]),
    ...Object.entries(PUSHING).map(([name, attempt]) => ({ direction: "push" as const, name, attempt })),
    ...Object.entries(PULLING).map(([name, attempt]) => ({ direction: "pull" as const, name, attempt })),
  ];

  it.each(rows)("$direction: $name is answered with `error` and a close", async ({ direction, attempt }) => {
    const peer = await connectRawPeer(server.url, server.token(direction));
    attempt(peer);
    const { message, code } = await peer.refusal();
    expect(message.length).toBeGreaterThan(15);
    expect([1002, 1008]).toContain(code);
    await waitFor(() => server.endpoint.active === 0);
    expect(server.errors).toEqual([]);
    expect(server.commits).toHaveLength(1);
  });

  it("is a text, too", async () => {
    const peer = await connectRawPeer(server.url, server.token("push"));
    peer.socket.send("hello");
    expect(await peer.refusal()).toEqual({ message: expect.stringContaining("binary"), code: 1003 });
  });

  it("is a frame over 4 MiB, refused before it has come, and one in far too many fragments", async () => {
    const large = await connectRawPeer(server.url, server.token("push"));
    large.socket.send(new Uint8Array(MAX_FRAME_BYTES + 1));
    expect(await large.refusal()).toEqual({ message: expect.stringContaining("larger"), code: 1009 });
    const many = await connectRawPeer(server.url, server.token("push"));
    for (let part = 0; part < 20_000; part += 1) many.socket.send(Buffer.of(1), { fin: false, binary: true });
    expect(await many.refusal()).toEqual({ message: expect.stringContaining("fragments"), code: 1008 });
    await waitFor(() => server.endpoint.active === 0);
    expect(server.errors).toEqual([]);
  });

  it("is a message that breaks RFC 6455 itself", async () => {
    const peer = await connectRawPeer(server.url, server.token("push"));
    // Reserved bits, and not masked.
    (peer.socket as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket.write(Buffer.of(0xf2, 0x01, 7));
    expect(await peer.refusal()).toEqual({ message: expect.stringContaining("WebSocket"), code: 1002 });
    await waitFor(() => server.endpoint.active === 0);
    expect(server.errors).toEqual([]);
  });
});
