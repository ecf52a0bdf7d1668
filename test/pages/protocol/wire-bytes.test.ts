import { describe, expect, it } from "vitest";
import { encodeFrame } from "../../../src/pages/protocol/encode-frame.js";
import type { Frame } from "../../../src/pages/protocol/frame.js";
import { parseFrame } from "../../../src/pages/protocol/parse-frame.js";

const HASH = new Uint8Array(32).fill(0xab);

// MessagePack written by hand, after https://github.com/msgpack/msgpack/blob/master/spec.md: this is what the tests judge by.
const str = (text: string): number[] => [0xa0 | text.length, ...Buffer.from(text)];
const bin = (bytes: Uint8Array): number[] => [0xc4, bytes.length, ...bytes];
const map = (...entries: (readonly [string, number[]])[]): number[] => [
  0x80 | entries.length,
  ...entries.flatMap(([key, value]) => [...str(key), ...value]),
];
const wire = (kind: string, ...data: (readonly [string, number[]])[]): number[] => [
  0x01,
  ...map(["kind", str(kind)], ["data", map(...data)]),
];

const hello = { kind: "hello", protocolVersion: 1, pageSize: 4096, maxPage: 70_000, extension: null } as const;
const helloKeys: (readonly [string, number[]])[] = [
  ["protocol_version", [0x01]],
  ["page_size", [0xcd, 0x10, 0x00]],
  ["max_page", [0xce, 0x00, 0x01, 0x11, 0x70]],
];

const VECTORS: readonly (readonly [Frame, number[]])[] = [
  [hello, wire("hello", ...helloKeys)],
  [
    { ...hello, extension: { database: "d", generation: 300, force: true } },
    wire(
      "hello",
      ...helloKeys,
      ["starfish", [0x01]],
      ["database", str("d")],
      ["generation", [0xcd, 0x01, 0x2c]],
      ["force", [0xc3]],
    ),
  ],
  [
    { ...hello, extension: { database: null, generation: null, force: false } },
    wire("hello", ...helloKeys, ["starfish", [0x01]], ["database", [0xc0]], ["generation", [0xc0]], ["force", [0xc2]]),
  ],
  [
    { ...hello, kind: "hello_reply", extension: { database: "d", generation: 5, rootHash: HASH } },
    wire(
      "hello_reply",
      ...helloKeys,
      ["starfish", [0x01]],
      ["database", str("d")],
      ["generation", [0x05]],
      ["root_hash", bin(HASH)],
    ),
  ],
  [{ kind: "page_hash", pageNo: 1, hash: HASH }, wire("page_hash", ["page_no", [0x01]], ["hash", bin(HASH)])],
  [
    { kind: "page_hash_batch", startPage: 1, endPage: 4_294_967_294, combinedHash: HASH },
    wire(
      "page_hash_batch",
      ["start_page", [0x01]],
      ["end_page", [0xce, 0xff, 0xff, 0xff, 0xfe]],
      ["combined_hash", bin(HASH)],
    ),
  ],
  [{ kind: "request_page", pageNo: 200 }, wire("request_page", ["page_no", [0xcc, 0xc8]])],
  [{ kind: "hash_mismatch", pageNo: 127 }, wire("hash_mismatch", ["page_no", [0x7f]])],
  [{ kind: "request_pages", pageNumbers: [1, 128] }, wire("request_pages", ["page_numbers", [0x92, 0x01, 0xcc, 0x80]])],
  [{ kind: "hash_mismatch_batch", pageNumbers: [] }, wire("hash_mismatch_batch", ["page_numbers", [0x90]])],
  [
    { kind: "page_data", pageNo: 2, data: HASH.subarray(0, 3) },
    wire("page_data", ["page_no", [0x02]], ["data", bin(HASH.subarray(0, 3))]),
  ],
  [
    { kind: "page_data_batch", pages: [{ pageNo: 9, data: HASH }] },
    wire("page_data_batch", ["pages", [0x91, ...map(["page_no", [0x09]], ["data", bin(HASH)])]]),
  ],
  [{ kind: "complete" }, [0x01, ...map(["kind", str("complete")])]],
  [
    { kind: "sync_complete", pagesTransferred: 1, bytesTransferred: 2 ** 32 + 5, extension: null },
    wire(
      "sync_complete",
      ["pages_transferred", [0x01]],
      ["bytes_transferred", [0xcf, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x05]],
    ),
  ],
  [
    {
      kind: "sync_complete",
      pagesTransferred: 0,
      bytesTransferred: 0,
      extension: { generation: 2 ** 53 - 1, rootHash: null },
    },
    wire(
      "sync_complete",
      ["pages_transferred", [0x00]],
      ["bytes_transferred", [0x00]],
      ["starfish", [0x01]],
      ["generation", [0xcf, 0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
      ["root_hash", [0xc0]],
    ),
  ],
  [{ kind: "error", message: "no" }, wire("error", ["message", str("no")])],
];

describe("frames on the wire", () => {
  it.each(VECTORS)("P2: are 0x01 and the MessagePack that the protocol pins: $kind", (frame, bytes) => {
    expect(Buffer.from(encodeFrame(frame)).toString("hex")).toBe(Buffer.from(bytes).toString("hex"));
    expect(parseFrame(Uint8Array.from(bytes))).toStrictEqual(frame);
    // Sockets give Buffers, which are views of larger ones.
    expect(parseFrame(Buffer.from([0x99, ...bytes]).subarray(1))).toStrictEqual(frame);
  });

  it("P2: carry pages as bin, with a length of two and of four bytes", () => {
    const small = encodeFrame({ kind: "page_data", pageNo: 1, data: new Uint8Array(512) });
    expect(Buffer.from(small).includes(Buffer.from([...str("data"), 0xc5, 0x02, 0x00]))).toBe(true);
    const large = encodeFrame({ kind: "page_data", pageNo: 1, data: new Uint8Array(65_536) });
    expect(Buffer.from(large).includes(Buffer.from([...str("data"), 0xc6, 0x00, 0x01, 0x00, 0x00]))).toBe(true);
  });

  it("P2: are the caller's own bytes, which the next frame does not touch", () => {
    const first = encodeFrame({ kind: "request_page", pageNo: 1 });
    const copy = Buffer.from(first);
    encodeFrame({ kind: "request_page", pageNo: 2 });
    expect(copy.equals(first)).toBe(true);
  });

  it("P3: are understood with integers in any width, keys in any order, keys that nobody knows and keys that come twice", () => {
    const long = (value: number): number[] => [0xcf, 0, 0, 0, 0, 0, 0, 0, value];
    const signed = (value: number): number[] => [0xd3, 0, 0, 0, 0, 0, 0, 0, value];
    expect(parseFrame(Uint8Array.from(wire("request_page", ["page_no", long(7)])))).toEqual({
      kind: "request_page",
      pageNo: 7,
    });
    expect(parseFrame(Uint8Array.from(wire("request_page", ["page_no", signed(7)])))).toEqual({
      kind: "request_page",
      pageNo: 7,
    });
    const odd = [
      0x01,
      ...map(
        ["data", map(["x", [0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]], ["page_no", [1]], ["page_no", [2]])],
        ["extra", [0x92, 0xca, 0, 0, 0, 0, 0xd4, 5, 5]],
        ["kind", str("request_page")],
      ),
    ];
    expect(parseFrame(Uint8Array.from(odd))).toEqual({ kind: "request_page", pageNo: 2 });
  });
});
