import type { RequestSigner } from "../collections/signed-transport.js";
import { remoteMistakes } from "../config/remote-mistakes.js";
import { ConfigurationError, type ReplicaError } from "../errors.js";
import type { ChangeFeed } from "../feeds/change-feed.js";
import { isJsonObject } from "../protocol/json-object.js";
import type { BackOffOptions } from "../scheduler/delays.js";
import { MAX_TIMER_MS } from "../scheduler/max-timer.js";
import { channelName, type RemoteCollection } from "./remote-collection.js";

const MAX_SAFE = Number.MAX_SAFE_INTEGER;

export interface ReplicaManagerOptions {
  /** Sends the requests to primaries instead of undici, for instance `createReplicaAuth().fetch`. Default: one pool per primary. */
  readonly fetchFn?: typeof fetch;
  /** Signs the requests to primaries, over the pool: `createReplicaAuth()`. Not together with `fetchFn`. */
  readonly auth?: RequestSigner;
  /** Tells of changes at the primary: collections with the `on_change` trigger sync at once. Default none. */
  readonly feed?: ChangeFeed;
  /** Told of every failed sync that nobody awaits, and of pushes that could not be forwarded. Default: nothing is logged. */
  readonly onError?: (name: string, error: ReplicaError) => void;
  /** Syncs, and sockets, at once per primary. Default 8. */
  readonly concurrency?: number;
  /** Pauses after failures. Default: from 1 s, doubling up to 60 s, with full jitter. */
  readonly backOff?: BackOffOptions;
  /** Deadline of one request in milliseconds, where the collection sets none. Default 30 000. */
  readonly requestTimeoutMs?: number;
  /** Limit on an answer in bytes, decoded, where the collection sets none. Default 64 MiB. */
  readonly maxDocumentBytes?: number;
  /** Key prefix of our own records in the store. Default `_replica`. */
  readonly statePrefix?: string;
}

/**
 * @throws ConfigurationError with every mistake at once
 */
export function verifyManagerArguments(collections: readonly RemoteCollection[], options: ReplicaManagerOptions): void {
  const mistakes = optionMistakes(options);
  const names = new Set<string>();
  const paths = new Map<string, string>();
  for (const collection of collections) {
    const name = channelName(collection.name, collection.namespace);
    const say = (what: string): number => mistakes.push(`Collection "${name}": ${what}`);
    remoteMistakes(collection.remote).forEach(say);
    if (!options.feed && isJsonObject(collection.remote) && onChange(collection.remote)) {
      say('the trigger "on_change" needs a feed: pass `feed`, for instance createSseFeed({ url })');
    }
    if (names.has(name)) say("is listed twice: give each collection one entry");
    names.add(name);
    const { storagePath } = collection;
    if (typeof storagePath !== "string" || storagePath === "" || /[{}]/.test(storagePath)) {
      say(`storagePath must be a key without template variables, got ${JSON.stringify(storagePath)}`);
      continue;
    }
    const other = paths.get(storagePath);
    if (other !== undefined && other !== name)
      say(`shares storagePath "${storagePath}" with "${other}": give each its own`);
    paths.set(storagePath, name);
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
}

/** What is wrong with the options that are no collection's. */
export function optionMistakes(options: ReplicaManagerOptions): string[] {
  const mistakes: string[] = [];
  const limits = { concurrency: MAX_SAFE, requestTimeoutMs: MAX_TIMER_MS, maxDocumentBytes: MAX_SAFE } as const;
  for (const key of ["concurrency", "requestTimeoutMs", "maxDocumentBytes"] as const) {
    const value = options[key];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1 && value <= limits[key])) {
      const limit = limits[key] === MAX_SAFE ? "" : ` to ${limits[key]}`;
      mistakes.push(`${key} must be a whole number from 1${limit}, got ${value}`);
    }
  }
  for (const key of ["baseMs", "capMs"] as const) {
    const value = options.backOff?.[key];
    if (value !== undefined && !(Number.isFinite(value) && value >= 1)) {
      mistakes.push(`backOff.${key} must be a number of milliseconds from 1, got ${value}`);
    }
  }
  if (options.fetchFn && options.auth)
    mistakes.push("auth and fetchFn exclude each other: pass auth alone to sign over the pool");
  return mistakes;
}

function onChange({ syncTriggers }: RemoteCollection["remote"]): boolean {
  return Array.isArray(syncTriggers) && syncTriggers.includes("on_change");
}
