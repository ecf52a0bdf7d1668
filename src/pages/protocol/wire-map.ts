import { ReplicaError } from "../../errors.js";

/** `max_page` at most: what SQLite itself allows. */
const MAX_PAGE_NO = 4_294_967_294;
const HASH_BYTES = 32;
const MAX_NAME_CHARACTERS = 256;

/** A map of the wire whose values are checked as they are read. Every method throws `PAGE_PROTOCOL`, naming kind and key. */
export class WireMap {
  readonly #kind: string;
  readonly #values: Readonly<Record<string, unknown>>;

  /** @param value what was decoded; anything but a map is refused */
  constructor(kind: string, value: unknown) {
    const plain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
    if (!plain) throw refused(`\`${kind}\` has no map where it needs one.`);
    this.#kind = kind;
    this.#values = value as Record<string, unknown>;
  }

  /** Missing counts as `null`. */
  isNull(key: string): boolean {
    return this.#get(key) === null;
  }

  integer(key: string): number {
    const value = this.#get(key);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#refused(key, "an integer from 0 to 2^53 - 1");
  }

  /** The number of a page; they begin with 1. */
  pageNo(key: string): number {
    return this.#pageNo(key, this.#get(key), 1);
  }

  /** The number of the last page; 0 where there is none. */
  maxPage(key: string): number {
    return this.#pageNo(key, this.#get(key), 0);
  }

  pageNumbers(key: string): readonly number[] {
    return this.#array(key).map((value) => this.#pageNo(key, value, 1));
  }

  maps(key: string): readonly WireMap[] {
    return this.#array(key).map((value) => new WireMap(this.#kind, value));
  }

  /** @param kind names it in messages */
  map(kind: string, key: string): WireMap {
    return new WireMap(kind, this.#get(key));
  }

  bytes(key: string): Uint8Array {
    const value = this.#get(key);
    if (value instanceof Uint8Array) return value;
    throw this.#refused(key, "bytes (MessagePack bin)");
  }

  hash(key: string): Uint8Array {
    const value = this.#get(key);
    if (value instanceof Uint8Array && value.length === HASH_BYTES) return value;
    throw this.#refused(key, `${HASH_BYTES} bytes (MessagePack bin)`);
  }

  string(key: string): string {
    const value = this.#get(key);
    if (typeof value === "string") return value;
    throw this.#refused(key, "a string");
  }

  name(key: string): string {
    const value = this.string(key);
    if (value.length <= MAX_NAME_CHARACTERS) return value;
    throw this.#refused(key, `a string of at most ${MAX_NAME_CHARACTERS} characters`);
  }

  boolean(key: string): boolean {
    const value = this.#get(key);
    if (typeof value === "boolean") return value;
    throw this.#refused(key, "true or false");
  }

  #get(key: string): unknown {
    return Object.hasOwn(this.#values, key) ? (this.#values[key] ?? null) : null;
  }

  #array(key: string): readonly unknown[] {
    const value = this.#get(key);
    if (Array.isArray(value)) return value;
    throw this.#refused(key, "an array");
  }

  #pageNo(key: string, value: unknown, least: number): number {
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= MAX_PAGE_NO) return value;
    throw this.#refused(key, `an integer from ${least} to ${MAX_PAGE_NO}`);
  }

  #refused(key: string, expected: string): ReplicaError {
    return refused(`\`${key}\` of \`${this.#kind}\` must be ${expected}.`);
  }
}

function refused(message: string): ReplicaError {
  return new ReplicaError("PAGE_PROTOCOL", message);
}
