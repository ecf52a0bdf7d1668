import { resolve } from "node:path";
import { showValue } from "../config/show-value.js";
import { ConfigurationError } from "../errors.js";
import { oauthMistakes } from "./oauth-mistakes.js";
import { booleanMistakes, isRecord, unknownMistakes } from "./option-shape.js";
import type { OAuthProviderOptions, PageServerOptions } from "./page-server-options.js";
import { parseSessionKeys } from "./tokens/parse-session-keys.js";

/** Options with their defaults filled in. */
export interface PageServerSettings extends Record<Numbers, number> {
  readonly dir: string;
  readonly keys: readonly Uint8Array[];
  readonly allowSignup: boolean;
  readonly oauthRedirectBase: string | undefined;
  readonly github: OAuthProviderOptions | undefined;
  readonly google: OAuthProviderOptions | undefined;
  readonly feed: PageServerOptions["feed"];
  readonly clientAddress: PageServerOptions["clientAddress"];
  /** Does not throw. */
  readonly onError: (error: unknown) => void;
}

type Numbers =
  | "sessionTtlSeconds"
  | "syncTokenTtlSeconds"
  | "maxSyncTokenTtlSeconds"
  | "oauthStateTtlSeconds"
  | "maxDatabaseBytes"
  | "maxOrganisationBytes"
  | "maxDatabases"
  | "maxSyncs"
  | "idleSeconds";

const GIB = 1024 ** 3;
const DAY_SECONDS = 86_400;
const TEN_YEARS_SECONDS = 315_360_000;
/** Default, lowest and highest value of every whole number, and its unit. */
const NUMBERS: Readonly<Record<Numbers, readonly [preset: number, min: number, max: number, unit: string]>> = {
  sessionTtlSeconds: [DAY_SECONDS, 1, TEN_YEARS_SECONDS, "seconds"],
  syncTokenTtlSeconds: [3_600, 1, TEN_YEARS_SECONDS, "seconds"],
  maxSyncTokenTtlSeconds: [DAY_SECONDS, 1, TEN_YEARS_SECONDS, "seconds"],
  oauthStateTtlSeconds: [600, 1, DAY_SECONDS, "seconds"],
  maxDatabaseBytes: [10 * GIB, 512, Number.MAX_SAFE_INTEGER, "bytes"],
  maxOrganisationBytes: [100 * GIB, 512, Number.MAX_SAFE_INTEGER, "bytes"],
  maxDatabases: [1_000, 1, 1_000_000, "databases"],
  maxSyncs: [64, 1, 100_000, "syncs"],
  idleSeconds: [60, 1, DAY_SECONDS, "seconds"],
};
const KNOWN: Readonly<Record<keyof PageServerOptions, true>> = {
  dir: true,
  sessionKey: true,
  sessionTtlSeconds: true,
  syncTokenTtlSeconds: true,
  maxSyncTokenTtlSeconds: true,
  oauthStateTtlSeconds: true,
  oauthRedirectBase: true,
  github: true,
  google: true,
  maxDatabaseBytes: true,
  maxOrganisationBytes: true,
  maxDatabases: true,
  maxSyncs: true,
  idleSeconds: true,
  allowSignup: true,
  feed: true,
  clientAddress: true,
  onError: true,
};

/**
 * Checks options that may come from JavaScript or a file.
 * @throws ConfigurationError with every mistake at once
 */
export function parsePageServerSettings(options: PageServerOptions): PageServerSettings {
  if (!isRecord(options)) throw new ConfigurationError(["the options of createPageServer must be an object"]);
  const { keys, mistakes: keyMistakes } = parseSessionKeys(options.sessionKey);
  const mistakes = [
    ...unknownMistakes(options, Object.keys(KNOWN)),
    ...dirMistakes(options.dir),
    ...keyMistakes,
    ...numberMistakes(options),
    ...oauthMistakes(options),
    ...partMistakes(options),
  ];
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return {
    dir: resolve(options.dir),
    keys,
    ...numbers(options),
    allowSignup: options.allowSignup ?? true,
    oauthRedirectBase: options.oauthRedirectBase,
    github: options.github && { ...options.github },
    google: options.google && { ...options.google },
    feed: options.feed,
    clientAddress: options.clientAddress,
    onError: guarded(options.onError ?? warn),
  };
}

function dirMistakes(dir: unknown): string[] {
  if (typeof dir === "string" && dir !== "" && !dir.includes("\0")) return [];
  return ['dir must be the path of a folder of its own, for instance "./data/pages"'];
}

function numbers(options: PageServerOptions): Record<Numbers, number> {
  const named = Object.fromEntries(
    (Object.keys(NUMBERS) as Numbers[]).map((name) => [name, options[name] ?? NUMBERS[name][0]]),
  ) as Record<Numbers, number>;
  // Whoever allows less than the default of what is not asked for means that too.
  if (options.syncTokenTtlSeconds === undefined)
    named.syncTokenTtlSeconds = Math.min(named.syncTokenTtlSeconds, named.maxSyncTokenTtlSeconds);
  return named;
}

function numberMistakes(options: PageServerOptions): string[] {
  const mistakes = (Object.keys(NUMBERS) as Numbers[]).flatMap((name) => {
    const value: unknown = options[name];
    const [, min, max, unit] = NUMBERS[name];
    if (value === undefined || (Number.isInteger(value) && Number(value) >= min && Number(value) <= max)) return [];
    return [`${name} must be a whole number of ${unit} from ${min} to ${max}, got ${showValue(value)}`];
  });
  if (mistakes.length > 0) return mistakes;
  const { syncTokenTtlSeconds, maxSyncTokenTtlSeconds } = numbers(options);
  if (syncTokenTtlSeconds <= maxSyncTokenTtlSeconds) return [];
  return [
    `syncTokenTtlSeconds must not be more than maxSyncTokenTtlSeconds, got ${syncTokenTtlSeconds} and ${maxSyncTokenTtlSeconds}`,
  ];
}

function partMistakes(options: PageServerOptions): string[] {
  const { feed, clientAddress, onError } = options;
  const mistakes = booleanMistakes(options, ["allowSignup"]);
  if (feed !== undefined && typeof (feed as { publish?: unknown } | null)?.publish !== "function")
    mistakes.push(`feed must be a change feed, as createMemoryFeed() makes one, got ${showValue(feed)}`);
  if (clientAddress !== undefined && typeof clientAddress !== "function")
    mistakes.push(`clientAddress must be a function, got ${showValue(clientAddress)}`);
  if (onError !== undefined && typeof onError !== "function")
    mistakes.push(`onError must be a function, got ${showValue(onError)}`);
  return mistakes;
}

/** What a host's own handler throws harms nothing of ours. */
function guarded(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    // An async handler is one too, whatever its type says.
    const told = new Promise((resolve) => resolve(onError(error)));
    told.catch(warn);
  };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}
