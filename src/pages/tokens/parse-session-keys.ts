/** The keys that can be used, and a sentence for each that cannot. */
export interface SessionKeys {
  readonly keys: readonly Uint8Array[];
  /** Each begins with `sessionKey`. No part of a key is in them. */
  readonly mistakes: readonly string[];
}

const KEY_BYTES = 32;
const MAX_KEYS = 16;
const HOW = "make one with `openssl rand -base64 32`";

/** Reads keys that may come from JavaScript, a file or the environment: base64 (or base64url) of 32 bytes, or a list of such. The first signs. */
export function parseSessionKeys(value: unknown): SessionKeys {
  if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0))
    return { keys: [], mistakes: [`sessionKey is missing: ${HOW}`] };
  if (!Array.isArray(value)) return collect([["sessionKey", value]]);
  if (value.length > MAX_KEYS)
    return { keys: [], mistakes: [`sessionKey has ${value.length} keys, at most ${MAX_KEYS} are tried`] };
  return collect(value.map((key, index) => [`sessionKey[${index}]`, key]));
}

function collect(named: readonly (readonly [name: string, value: unknown])[]): SessionKeys {
  const keys: Uint8Array[] = [];
  const mistakes: string[] = [];
  const seen = new Map<string, string>();
  for (const [name, value] of named) {
    const key = parseKey(value);
    const text = typeof key === "string" ? key : keyMistake(key, seen);
    if (text !== null) mistakes.push(`${name} ${text}`);
    else keys.push(key as Uint8Array);
    if (typeof key !== "string") seen.set(toHex(key), name);
  }
  return { keys, mistakes };
}

/** @returns the key, or what is wrong with it */
function parseKey(value: unknown): Uint8Array | string {
  if (typeof value !== "string") return `must be a text in base64: ${HOW}`;
  const text = value.trim();
  const bytes = Buffer.from(text, "base64");
  // `from` skips what is not base64, so a damaged key would be a shorter one.
  const bare = text
    .replace(/={1,2}$/, "")
    .replaceAll("-", "+")
    .replaceAll("_", "/");
  if (bytes.toString("base64").replace(/=+$/, "") !== bare) return `is not base64: ${HOW}`;
  if (bytes.length !== KEY_BYTES) return `has ${bytes.length} bytes, it must have ${KEY_BYTES}: ${HOW}`;
  return Uint8Array.from(bytes);
}

function keyMistake(key: Uint8Array, seen: ReadonlyMap<string, string>): string | null {
  const same = seen.get(toHex(key));
  if (same !== undefined) return `is the same key as ${same}`;
  return key.every((byte) => byte === key[0])
    ? `is one byte ${KEY_BYTES} times, which everybody can guess: ${HOW}`
    : null;
}

function toHex(key: Uint8Array): string {
  return Buffer.from(key).toString("hex");
}
