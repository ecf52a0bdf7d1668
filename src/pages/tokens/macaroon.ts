/** A macaroon without third-party caveats. Bytes, since nothing of it has been proved yet. */
export interface Macaroon {
  readonly identifier: Uint8Array;
  readonly caveats: readonly Uint8Array[];
  /** 32 bytes. */
  readonly signature: Uint8Array;
}

const VERSION = 2;
const END = 0;
const LOCATION = 1;
const IDENTIFIER = 2;
const SIGNATURE = 6;
const SIGNATURE_BYTES = 32;

/** The v2 binary form of libmacaroons (https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt), without a location. */
export function encodeMacaroon({ identifier, caveats, signature }: Macaroon): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(VERSION),
    ...field(IDENTIFIER, identifier),
    Uint8Array.of(END),
    ...caveats.flatMap((caveat) => [...field(IDENTIFIER, caveat), Uint8Array.of(END)]),
    Uint8Array.of(END),
    ...field(SIGNATURE, signature),
  ]);
}

/**
 * Reads that form. A location, which no signature covers, is left out: some libraries add one.
 * @returns `null` for anything else, third-party caveats included
 */
export function decodeMacaroon(bytes: Uint8Array): Macaroon | null {
  const reader = new Reader(bytes);
  if (reader.byte() !== VERSION) return null;
  if (reader.isNext(LOCATION)) reader.field(LOCATION);
  const identifier = reader.field(IDENTIFIER);
  reader.expect(END);
  const caveats: Uint8Array[] = [];
  while (reader.isNext(IDENTIFIER)) {
    caveats.push(reader.field(IDENTIFIER));
    reader.expect(END);
  }
  reader.expect(END);
  const signature = reader.field(SIGNATURE);
  return reader.isWhole() && signature.length === SIGNATURE_BYTES ? { identifier, caveats, signature } : null;
}

function field(type: number, data: Uint8Array): Uint8Array[] {
  const head = [type];
  let rest = data.length;
  for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128);
  head.push(rest);
  return [Uint8Array.from(head), data];
}

/** Once something was not as it must be, all that follows is empty. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    this.#at += 1;
    if (value === undefined) this.#failed = true;
    return value ?? -1;
  }

  isNext(type: number): boolean {
    return !this.#failed && this.#bytes[this.#at] === type;
  }

  expect(type: number): void {
    if (this.byte() !== type) this.#failed = true;
  }

  field(type: number): Uint8Array {
    this.expect(type);
    const length = this.#length();
    const end = this.#at + length;
    if (end > this.#bytes.length) this.#failed = true;
    if (this.#failed) return new Uint8Array();
    const data = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return data;
  }

  isWhole(): boolean {
    return !this.#failed && this.#at === this.#bytes.length;
  }

  /** A varint of at most two bytes, in its shortest form: no token is longer than they can say. */
  #length(): number {
    const first = this.byte();
    if (first < 128) return first;
    const second = this.byte();
    if (second < 1 || second > 127) this.#failed = true;
    return (first & 127) | (second << 7);
  }
}
