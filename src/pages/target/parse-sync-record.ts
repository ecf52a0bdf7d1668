import { createPageHasher } from "../hashes/page-hasher.js";
import { HASH_BYTES } from "../hashes/page-hashes.js";
import type { ServerVersion, SyncRecord } from "./remembered-version.js";

const VERSION = 1;

/** The record as it stands in its file: JSON, hashes in hexadecimal, page 1 in base64. */
export function formatSyncRecord({ synced, pending, replacing }: SyncRecord): string {
  const json = {
    version: VERSION,
    ...(synced === null ? {} : { ...formatVersion(synced), fingerprint: hex(synced.fingerprint) }),
    ...(pending === null ? {} : { pending: { database: pending.database, rootHash: hex(pending.rootHash) } }),
    ...(replacing === null ? {} : { replacing: formatVersion(replacing) }),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
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
    pageOne: Buffer.from(version.pageOne).toString("base64"),
  };
}

/** Takes nothing for granted. @returns why it cannot be used, as the end of a sentence, where it cannot */
export async function parseSyncRecord(text: string): Promise<SyncRecord | string> {
  try {
    const json = object(JSON.parse(text));
    if (typeof json.version === "number" && json.version > VERSION) return "a newer version of this program wrote it";
    if (json.version !== VERSION) return "it is damaged";
    const synced = json.rootHash === undefined ? null : await parseVersion(json);
    const pending = json.pending === undefined ? null : object(json.pending);
    return {
      synced: synced === null ? null : { ...synced, fingerprint: hash(json.fingerprint) },
      pending:
        pending === null ? null : { database: parseDatabase(pending.database), rootHash: hash(pending.rootHash) },
      replacing: json.replacing === undefined ? null : await parseVersion(object(json.replacing)),
    };
  } catch {
    return "it is damaged";
  }
}

async function parseVersion(json: Readonly<Record<string, unknown>>): Promise<ServerVersion> {
  const { pageOne } = json;
  if (typeof pageOne !== "string") throw new TypeError("Not a page");
  const version: ServerVersion = {
    database: parseDatabase(json.database),
    generation: json.generation === null ? null : count(json.generation),
    pageSize: count(json.pageSize),
    pageCount: count(json.pageCount),
    rootHash: hash(json.rootHash),
    pageOne: new Uint8Array(Buffer.from(pageOne, "base64")),
    pageOneHash: hash(json.pageOneHash),
  };
  // A page that was altered here would be taken for the server's, and be written to the next version.
  const found = (await createPageHasher()).hash(version.pageOne);
  const length = version.pageCount === 0 ? 0 : version.pageSize;
  if (version.pageOne.length !== length || !Buffer.from(found).equals(version.pageOneHash))
    throw new TypeError("Not page 1");
  return version;
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
  if (typeof value !== "string" || !/^[0-9a-f]*$/.test(value) || value.length !== 2 * HASH_BYTES)
    throw new TypeError("No hash");
  return new Uint8Array(Buffer.from(value, "hex"));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
