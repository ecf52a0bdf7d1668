import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodeFrame } from "../../../src/pages/protocol/encode-frame.js";
import { tempDir } from "../../support/temp-dir.js";
import { pull, push } from "../plain/plain-client.js";
import { connectRawPeer } from "./raw-peer.js";
import { makeDatabase, pullWhole, pushWhole } from "./simple-sync.js";
import { startSyncServer } from "./sync-server.js";

const dir = tempDir();
const one = makeDatabase(join(dir, "one.db"), { pages: 300, mark: "one" });
const two = makeDatabase(join(dir, "two.db"), { pages: 300, mark: "two" });
const shorter = makeDatabase(join(dir, "shorter.db"), { pages: 100 });
const wide = makeDatabase(join(dir, "wide.db"), { pages: 20, pageSize: 65_536 });

describe("a client of the original protocol", () => {
  it("pushes and pulls, and moves only what differs", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    const first = await push(server.url, server.token("push"), one);
    expect(first.pagesTransferred).toBe(one.byteLength / 4096);
    const empty = await pull(server.url, server.token("pull"));
    expect(empty.bytes.equals(one)).toBe(true);
    const second = await push(server.url, server.token("push"), two);
    expect(second.pagesTransferred).toBeLessThan(5);
    const pulled = await pull(server.url, server.token("pull"), one);
    expect(pulled.bytes.equals(two)).toBe(true);
    expect(pulled.pagesTransferred).toBeLessThan(5);
    expect(server.commits.map((commit) => commit.generation)).toEqual([1, 2]);
    expect(server.errors).toEqual([]);
  });

  it("leaves no old tail on the server, and gets databases of other page sizes as a file", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    await push(server.url, server.token("push"), one);
    await push(server.url, server.token("push"), shorter);
    expect((await pull(server.url, server.token("pull"))).bytes.equals(shorter)).toBe(true);
    const peer = await connectRawPeer(server.url, server.token("push", { databaseId: "d-2" }));
    await pushWhole(peer, wide, 65_536);
    const asFile = await pull(server.url, server.token("pull", { databaseId: "d-2" }));
    expect(asFile.bytes.equals(wide)).toBe(true);
    await push(server.url, server.token("push"), wide);
    const extended = await pullWhole(await connectRawPeer(server.url, server.token("pull")));
    expect(extended.file.equals(wide)).toBe(true);
    expect(server.errors).toEqual([]);
  });

  it("is refused when it sends another page than it has named, and nothing is stored", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    await push(server.url, server.token("push"), one);
    const peer = await connectRawPeer(server.url, server.token("push"));
    const hello = { kind: "hello", protocolVersion: 1, pageSize: 4096, extension: null } as const;
    peer.send({ ...hello, maxPage: two.byteLength / 4096 });
    await peer.next("hello_reply");
    peer.send({ kind: "page_hash", pageNo: 7, hash: new Uint8Array(32).fill(9) });
    const { pageNo } = await peer.next("request_page");
    peer.socket.send(encodeFrame({ kind: "page_data", pageNo, data: two.subarray(6 * 4096, 7 * 4096) }));
    expect(await peer.refusal()).toEqual({ message: expect.stringMatching(/Page 7 .*push again/), code: 1008 });
    expect(server.commits).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });
});
