import { HASH_BYTES } from "../hashes/page-hashes.js";
import { PAGE_ONE_HEADER_BYTES } from "./page-one-as-written.js";
import type { ReplacingVersion, SyncRecord } from "./remembered-version.js";
import type { ServerVersion } from "./server-version.js";

const VERSION = 1;

/** The record as it stands in its file: JSON, hashes and the header of page 1 in hexadecimal. */
export function formatSyncRecord({ synced, pending, replacing }: SyncRecord): string {
  const json = {
    version: VERSION,
    ...(synced === null ? {} : { ...formatVersion(synced), fingerprint: hex(synced.fingerprint) }),
    ...(pending === null ? {} : { pending: { database: pending.database, rootHash: hex(pending.rootHash) } }),
    ...(replacing === null ? {} : { replacing: formatReplacing(replacing) }),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

function formatReplacing(replacing: ReplacingVersion): object {
  return { ...formatVersion(replacing), over: replacing.over === null ? null : hex(replacing.over) };
}

function formatVersion(version: ServerVersion): object {
  const { database, generation, pageSize, pageCount } = version;
  return {
    database,
    generation,
    pageSize,
    pageCount,
    rootHash: hex(version.rootHash),
    pageOneHash: hex(version.pageOneHash),
    pageOneHeader: hex(version.pageOneHeader),
  };
}

/** Takes nothing for granted. @returns why it cannot be used, as the end of a sentence, where it cannot */
export function parseSyncRecord(text: string): SyncRecord | string {
  try {
    const json = object(JSON.parse(text));
    if (typeof json.version === "number" && json.version > VERSION) return "a newer version of this program wrote it";
    if (json.version !== VERSION) return "it is damaged";
    const synced = json.rootHash === undefined ? null : parseVersion(json);
    const pending = json.pending === undefined ? null : object(json.pending);
    return {
      synced: synced === null ? null : { ...synced, fingerprint: hash(json.fingerprint) },
      pending:
        pending === null ? null : { database: parseDatabase(pending.database), rootHash: hash(pending.rootHash) },
      replacing: json.replacing === undefined ? null : parseReplacing(object(json.replacing)),
    };
  } catch {
    return "it is damaged";
  }
}

function parseReplacing(json: Readonly<Record<string, unknown>>): ReplacingVersion {
  return { ...parseVersion(json), over: json.over === null ? null : hash(json.over) };
}

function parseVersion(json: Readonly<Record<string, unknown>>): ServerVersion {
  const pageCount = count(json.pageCount);
  return {
    database: parseDatabase(json.database),
    generation: json.generation === null ? null : count(json.generation),
    pageSize: count(json.pageSize),
    pageCount,
    rootHash: hash(json.rootHash),
    // Whoever uses it proves it by the hash of the whole page.
    pageOneHeader: bytes(json.pageOneHeader, pageCount === 0 ? 0 : PAGE_ONE_HEADER_BYTES),
    pageOneHash: hash(json.pageOneHash),
  };
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("No object");
  return value as Readonly<Record<string, unknown>>;
}

function parseDatabase(value: unknown): string | null {
  if (value !== null && typeof value !== "string") throw new TypeError("No name");
  return value;
}

function count(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new TypeError("No count");
  return value as number;
}

function hash(value: unknown): Uint8Array {
  return bytes(value, HASH_BYTES);
}

function bytes(value: unknown, length: number): Uint8Array {
  if (typeof value !== "string" || !/^[0-9a-f]*$/.test(value) || value.length !== 2 * length)
    throw new TypeError("Not so many bytes");
  return new Uint8Array(Buffer.from(value, "hex"));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
