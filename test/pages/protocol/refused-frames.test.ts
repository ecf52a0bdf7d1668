import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { encodeFrame } from "../../../src/pages/protocol/encode-frame.js";
import { MAX_FRAME_BYTES } from "../../../src/pages/protocol/limits.js";
import { parseFrame } from "../../../src/pages/protocol/parse-frame.js";
import { size } from "../../support/size.js";

const HASH = new Uint8Array(32);
const HELLO = { protocol_version: 1, page_size: 4096, max_page: 1 };

function wire(value: unknown): Uint8Array {
  return Uint8Array.from([0x01, ...encode(value, { useBigInt64: true })]);
}

function refusal(bytes: Uint8Array): string {
  try {
    parseFrame(bytes);
  } catch (error) {
    if (error instanceof ReplicaError && error.code === "PAGE_PROTOCOL") return error.message;
    throw error;
  }
  return "not refused";
}

describe("what is no frame", () => {
  it.each([
    ["nothing at all", new Uint8Array(), /0x01/],
    ["another first byte", Uint8Array.from([0x02, 0x80]), /0x01/],
    ["only the first byte", Uint8Array.from([0x01]), /ends before/],
    ["half a frame", encodeFrame({ kind: "request_page", pageNo: 1 }).subarray(0, 20), /ends before/],
    ["something behind the frame", Uint8Array.from([...encodeFrame({ kind: "complete" }), 0x00]), /1 bytes follow/],
    ["two frames in one", Uint8Array.from([...encodeFrame({ kind: "complete" }), 0x01, 0x80]), /follow/],
    ["more than 4 MiB", new Uint8Array(MAX_FRAME_BYTES + 1).fill(1), /are the most/],
    ["no map", wire(5), /no map/],
    ["an array", wire([]), /no map/],
    ["a time", wire(new Date(0)), /no map/],
    ["no kind", wire({}), /`kind` of `frame`/],
    ["a kind that is a number", wire({ kind: 1 }), /`kind`/],
    ["a kind that nobody knows", wire({ kind: "constructor", data: {} }), /none that the protocol knows/],
    ["no data", wire({ kind: "hello" }), /`hello` has no map/],
    ["data that is bytes", wire({ kind: "hello", data: HASH }), /`hello` has no map/],
    ["a key that is missing", wire({ kind: "hello", data: { ...HELLO, max_page: undefined } }), /`max_page`/],
    ["a reserved key", Uint8Array.from([0x01, 0x81, 0xa9, ...Buffer.from("__proto__"), 0x80]), /MessagePack/],
    ["a key that is a number", Uint8Array.from([0x01, 0x81, 0x01, 0x01]), /no string/],
    ["a byte that MessagePack never uses", Uint8Array.from([0x01, 0xc1]), /0xc1/],
    ["page 0", wire({ kind: "request_page", data: { page_no: 0 } }), /`page_no`.*from 1/],
    ["a page beyond what SQLite can have", wire({ kind: "request_page", data: { page_no: 4294967295 } }), /`page_no`/],
    ["a negative page", wire({ kind: "request_page", data: { page_no: -1 } }), /`page_no`/],
    ["a page that is a string", wire({ kind: "request_page", data: { page_no: "1" } }), /`page_no`/],
    ["a page that is no whole number", wire({ kind: "request_page", data: { page_no: 1.5 } }), /floating point/],
    ["max_page of 2^40", wire({ kind: "hello", data: { ...HELLO, max_page: 2n ** 40n } }), /`max_page`/],
    ["an integer beyond 2^53", wire({ kind: "hello", data: { ...HELLO, page_size: 2n ** 60n } }), /`page_size`/],
    [
      "a range that ends before it starts",
      wire({ kind: "page_hash_batch", data: { start_page: 2, end_page: 1, combined_hash: HASH } }),
      /ends before it starts/,
    ],
    ["a hash of 31 bytes", wire({ kind: "page_hash", data: { page_no: 1, hash: HASH.subarray(1) } }), /32 bytes/],
    ["a hash that is a string", wire({ kind: "page_hash", data: { page_no: 1, hash: "ab".repeat(16) } }), /32 bytes/],
    ["a page that is an array of numbers", wire({ kind: "page_data", data: { page_no: 1, data: [1, 2] } }), /`data`/],
    ["pages that are no array", wire({ kind: "page_data_batch", data: { pages: { 0: 1 } } }), /an array/],
    ["pages that are no maps", wire({ kind: "page_data_batch", data: { pages: [1] } }), /no map/],
    [
      "2^20 page numbers",
      wire({ kind: "request_pages", data: { page_numbers: new Array(2 ** 20).fill(1) } }),
      /values/,
    ],
    ["an extension without its keys", wire({ kind: "hello_reply", data: { ...HELLO, starfish: 1 } }), /`database`/],
    [
      "an extension of another type",
      wire({ kind: "hello", data: { ...HELLO, starfish: 1, generation: "5" } }),
      /`generation`/,
    ],
    [
      "a database's name without end",
      wire({ kind: "hello", data: { ...HELLO, starfish: 1, database: "x".repeat(300) } }),
      /256/,
    ],
    ["a message without end", wire({ kind: "error", data: { message: "x".repeat(70_000) } }), /MessagePack/],
  ])("P3: is refused with a sentence: %s", (_what, bytes, message) => {
    expect(refusal(bytes)).toMatch(message);
    expect(refusal(bytes)).toMatch(/\.$/);
  });

  it.each([
    [0xca, [0x45, 0x80, 0x00, 0x00]],
    [0xcb, [0x40, 0xb0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]],
  ])("P2: is refused where a whole number stands as a float (0x%s)", (head, bytes) => {
    const start = Buffer.from(wire({ kind: "hello", data: { protocol_version: 1, max_page: 1 } }));
    const entries = start.indexOf(0x82, 2);
    start[entries] = 0x83;
    const frame = Buffer.concat([start, Buffer.from([0xa9]), Buffer.from("page_size"), Buffer.from([head, ...bytes])]);
    expect(refusal(frame)).toMatch(/floating point/);
  });
});

describe("the memory that a frame takes", () => {
  it.each([
    ["arrays in arrays", [0xdd, 0x00, 0x04, 0x00, 0x00]],
    ["maps in maps", [0xdf, 0x00, 0x00, 0x00, 0x30, 0xa1, 0x78]],
    ["an array of four billion", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["empty maps", [0x80]],
  ])("P4: stays in proportion to the frame: %s", (_what, unit) => {
    const many = new Uint8Array(MAX_FRAME_BYTES);
    many[0] = 0x01;
    for (let at = 1; at + unit.length <= many.length; at += unit.length) many.set(unit, at);
    const before = process.memoryUsage();
    expect(refusal(many)).not.toBe("not refused");
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(64 * 2 ** 20);
  });

  it("P4: stays in proportion to the frame also where as many values as are allowed are built", () => {
    const list = new Array(262_000).fill({});
    const before = process.memoryUsage().heapUsed;
    expect(refusal(wire({ kind: "request_pages", data: { page_numbers: list } }))).toMatch(/page_numbers/);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(96 * 2 ** 20);
  });
});

describe("bytes at random", () => {
  const numRuns = size({ test: 3_000, ci: 20_000, soak: 500_000 });
  const check = (bytes: Uint8Array): void => {
    // Whatever is no frame throws PAGE_PROTOCOL, or this throws.
    refusal(bytes);
  };

  it("P3: are a frame or PAGE_PROTOCOL, and nothing else", () => {
    const tail = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(tail, (bytes) => check(Uint8Array.from([0x01, ...bytes]))),
      { numRuns },
    );
  });

  it("P3: are a frame or PAGE_PROTOCOL, and nothing else, where they were a frame before some were changed", () => {
    const frames = [
      wire({ kind: "hello", data: { ...HELLO, starfish: 1, database: "d", generation: 1, force: false } }),
      wire({ kind: "hello_reply", data: { ...HELLO, starfish: 1, database: "d", generation: 1, root_hash: HASH } }),
      wire({
        kind: "page_data_batch",
        data: {
          pages: [
            { page_no: 1, data: HASH },
            { page_no: 2, data: HASH },
          ],
        },
      }),
      wire({ kind: "request_pages", data: { page_numbers: [1, 200, 70_000] } }),
      wire({ kind: "error", data: { message: "ä€😀", code: "X" } }),
    ];
    const change = fc.tuple(fc.nat(), fc.constantFrom("set", "cut", "insert"), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.constantFrom(...frames), fc.array(change, { minLength: 1, maxLength: 4 }), (frame, changes) => {
        let bytes = [...frame];
        for (const [where, how, value] of changes) {
          const at = where % Math.max(1, bytes.length);
          if (how === "set") bytes[at] = value;
          else if (how === "insert") bytes.splice(at, 0, value);
          else bytes = bytes.slice(0, at);
        }
        check(Uint8Array.from(bytes));
      }),
      { numRuns },
    );
  });
});
