import { ReplicaError } from "../../errors.js";
import { EXTENSION_KEY, KEY } from "./wire-names.js";

/** Maps, arrays, keys and values in one frame. A batch of 4 MiB in pages of 512 bytes has 41,000. */
const MAX_VALUES = 262_144;
/** A frame of ours has four levels. */
const MAX_DEPTH = 8;
const KNOWN_KEYS: ReadonlySet<string> = new Set<string>([...Object.values(KEY), ...Object.values(EXTENSION_KEY)]);

const FLOAT_32 = 0xca;
const FLOAT_64 = 0xcb;
const ARRAY_16 = 0xdc;
const ARRAY_32 = 0xdd;
const MAP_16 = 0xde;
const MAP_32 = 0xdf;

/** How many bytes follow: nil, booleans, integers without sign and with, extension types with the byte that names them. */
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  ...[0xc0, 0xc2, 0xc3].map((head) => [head, 0] as const),
  ...[0xcc, 0xcd, 0xce, 0xcf].map((head, i) => [head, 1 << i] as const),
  ...[0xd0, 0xd1, 0xd2, 0xd3].map((head, i) => [head, 1 << i] as const),
  ...[0xd4, 0xd5, 0xd6, 0xd7, 0xd8].map((head, i) => [head, (1 << i) + 1] as const),
]);

/** How many bytes tell the length of what follows: bin, extension types, strings. */
const LENGTH_BYTES: ReadonlyMap<number, number> = new Map(
  [0xc4, 0xc7, 0xd9].flatMap((first) => [1, 2, 4].map((size, i) => [first + i, size] as const)),
);

/**
 * Walks over one MessagePack value, which must begin at `start` and end where the bytes end, without building anything. It refuses what the
 * decoder cannot: a length that is not there (each nested one is an allocation of its own), depth, a great many tiny values, a float under a key of
 * the protocol (the decoder gives an ordinary number for it), and map keys that are no strings.
 * @throws `PAGE_PROTOCOL`
 */
export function verifyMessagePack(bytes: Uint8Array, start: number): void {
  const walk = new Walk(bytes, start);
  walk.value(0, true);
  walk.end();
}

class Walk {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  #values = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
  }

  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) refuse(`${left} bytes follow the end of the message`);
  }

  /** @param known whether the value stands under a key of the protocol */
  value(depth: number, known: boolean): void {
    if (depth > MAX_DEPTH) refuse(`maps and arrays are nested more than ${MAX_DEPTH} deep`);
    this.#values += 1;
    if (this.#values > MAX_VALUES) refuse(`it has more than ${MAX_VALUES} values`);
    const head = this.#unsigned(1);
    if (head < 0x80 || head >= 0xe0) {
      // An integer, which is the head itself.
    } else if (head < 0x90) this.#map(head & 0x0f, depth, known);
    else if (head < 0xa0) this.#array(head & 0x0f, depth, known);
    else if (head < 0xc0) this.#skip(head & 0x1f);
    else if (head === FLOAT_32 || head === FLOAT_64) this.#float(head, known);
    else if (head === ARRAY_16 || head === ARRAY_32)
      this.#array(this.#unsigned(head === ARRAY_16 ? 2 : 4), depth, known);
    else if (head === MAP_16 || head === MAP_32) this.#map(this.#unsigned(head === MAP_16 ? 2 : 4), depth, known);
    else this.#scalar(head);
  }

  #float(head: number, known: boolean): void {
    if (known) refuse("it has a floating point number where only integers may stand");
    this.#skip(head === FLOAT_32 ? 4 : 8);
  }

  #scalar(head: number): void {
    const fixed = FIXED_BYTES.get(head);
    const lengthBytes = LENGTH_BYTES.get(head);
    if (fixed === undefined && lengthBytes === undefined) {
      refuse(`it has the byte 0x${head.toString(16)}, which is no MessagePack`);
    }
    const typeBytes = head >= 0xc7 && head <= 0xc9 ? 1 : 0;
    this.#skip(fixed ?? this.#unsigned(lengthBytes ?? 0) + typeBytes);
  }

  #array(length: number, depth: number, known: boolean): void {
    this.#expect(length);
    for (let i = 0; i < length; i += 1) this.value(depth + 1, known);
  }

  #map(length: number, depth: number, known: boolean): void {
    this.#expect(length * 2);
    for (let i = 0; i < length; i += 1) {
      const key = this.#key();
      this.value(depth + 1, known && KNOWN_KEYS.has(key));
    }
  }

  #key(): string {
    this.#values += 1;
    const head = this.#unsigned(1);
    let length = -1;
    if (head >= 0xa0 && head < 0xc0) length = head & 0x1f;
    else if (head >= 0xd9 && head <= 0xdb) length = this.#unsigned(1 << (head - 0xd9));
    if (length < 0) refuse("a key of a map is no string");
    const start = this.#at;
    this.#skip(length);
    // No key of the protocol is longer, and all of them are ASCII.
    return length > 32 ? "" : String.fromCharCode(...this.#bytes.subarray(start, this.#at));
  }

  #unsigned(size: number): number {
    this.#expect(size);
    const at = this.#at;
    this.#at += size;
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #skip(count: number): void {
    this.#expect(count);
    this.#at += count;
  }

  /** Every value takes at least one byte. */
  #expect(count: number): void {
    if (count > this.#bytes.length - this.#at) refuse("it ends before what it announces");
  }
}

function refuse(why: string): never {
  throw new ReplicaError("PAGE_PROTOCOL", `The frame cannot be read: ${why}.`);
}
