/**
 * What can go wrong, one stable code each. Match on `code`, never on the message.
 *
 * | code | meaning |
 * | --- | --- |
 * | `INVALID_CONFIGURATION` | options that cannot work; the message lists every mistake |
 * | `UNKNOWN_COLLECTION` | a name that this manager does not replicate |
 * | `STOPPED` | asked of a manager that was stopped, or cut short by `stop()` |
 * | `RUN_TIMEOUT` | one run of a channel took longer than its deadline |
 * | `CHANNEL_FAILED` | a channel failed with an error that is not one of ours, which is the `cause` |
 * | `PRIMARY_UNREACHABLE` | no answer: refused, reset, name not found, or the body broke off |
 * | `PRIMARY_TIMEOUT` | the primary took longer than `requestTimeoutMs` |
 * | `PRIMARY_UNAVAILABLE` | the primary answered 408, 425, 429 or 5xx |
 * | `PRIMARY_REFUSED` | the primary answered with any other status that is not a success |
 * | `PRIMARY_REDIRECTED` | a redirect to another origin, or too many redirects |
 * | `ANSWER_TOO_LARGE` | the answer passed `maxDocumentBytes` |
 * | `ANSWER_INVALID` | the answer is not the JSON that the protocol prescribes |
 * | `LOCAL_CONFLICT` | local writers were faster on every one of several attempts |
 * | `LOCAL_STORE` | the local `ObjectStore` failed |
 * | `MERGE_FAILED` | a collection's own `merge` threw, or gave no JSON object |
 * | `STATE_CORRUPT` | our own record about a collection could not be read; it was kept aside and begun anew |
 * | `FILTERED_DOCUMENT` | a write that cannot be sent: the primary hides fields from us, and sending would erase them |
 * | `INVALID_CREDENTIALS` | a passphrase, key or cap-cert that cannot be used |
 * | `MISSING_DRIVER` | an optional package is not installed; the hint is the command that installs it |
 * | `SOURCE_UNREACHABLE` | a source database gives no answer: refused, reset, broken off, shutting down, too many connections |
 * | `SOURCE_REFUSED` | a source database refuses us: password, permission, unknown database |
 * | `SOURCE_FAILED` | a source database answered with any other error |
 * | `TABLE_MISSING` | the source has no such table, or not any more |
 * | `UNMAPPABLE_TYPE` | a column's type has no form in SQLite; the message names column and type |
 * | `TOO_MANY_TIES` | too many rows of a table without a primary key share one cursor value |
 * | `INVALID_TASK` | a task that cannot work; the message names the field |
 * | `UNKNOWN_TASK` | no task has this id |
 * | `TARGET_TAKEN` | a task, or somebody else's table, already has the target's name |
 * | `LOCAL_DATABASE` | the local SQLite file failed: disk full, locked, read-only, corrupt |
 * | `QUERY_REFUSED` | a local query that is not read-only SQL, or that a hook refused |
 * | `QUERY_FAILED` | a local query that SQLite could not run |
 * | `QUERY_TIMEOUT` | a local query took longer than its deadline |
 * | `INVALID_EXPORT` | an export that cannot work; the message names the field |
 * | `UNKNOWN_JOB` | no export job has this id: it was cancelled, swept, or never there |
 * | `JOB_UNFINISHED` | the file of an export job that has not completed yet |
 * | `JOB_FAILED` | the file of an export job that failed; the job says why |
 * | `EXPORT_BUSY` | as many exports as are allowed are under way or waiting |
 * | `DISK_LIMIT` | an export would take more room than it may, or than there is |
 * | `SNAPSHOT_UNSTEADY` | other programs wrote so often that no consistent copy could be made |
 * | `ARTIFACT_STORE` | the folder or bucket that keeps finished exports failed |
 * | `ARTIFACT_MISSING` | a finished export's file is not where it was put |
 * | `CALLBACK_REFUSED` | a callback URL that may not be called: its form, or where it leads |
 * | `PAGE_PROTOCOL` | the other end of a page sync sent what the protocol does not allow |
 * | `SYNC_REFUSED` | the page server refused or ended a sync; the message says with which words |
 * | `SYNC_UNREACHABLE` | no connection to the page server, or it broke off |
 * | `INVALID_TOKEN` | a token that is malformed, forged, expired, or for something else |
 * | `GENERATION_CONFLICT` | another push came first; the message names both generations |
 * | `LOCAL_CHANGES` | a pull would overwrite what was changed in the local file since the last sync |
 * | `NOT_A_DATABASE` | a file that is no SQLite database: another format, encrypted, cut short |
 * | `INTEGRITY_FAILED` | what arrived is not what was sent, or SQLite finds it damaged |
 * | `PAGE_STORE` | the page server's own files failed: disk full, not writable, changed by others |
 * | `QUOTA_EXCEEDED` | a database, or all of an organisation, would be larger than allowed |
 * | `UNKNOWN_DATABASE` | no database of this organisation has this id |
 * | `INVALID_ACCOUNT` | an email, password, name or number that cannot be used; the message says which |
 * | `UNAUTHENTICATED` | wrong email or password, or no valid session |
 * | `SIGNUP_CLOSED` | this page server makes no new accounts for whoever comes |
 * | `NAME_TAKEN` | an email, or a database name within its organisation, that is taken |
 * | `NOT_CONFIGURED` | an OAuth provider that this server has no client id for |
 * | `OAUTH_FAILED` | an OAuth login that is unknown, expired, used already, or that the provider refused |
 * | `RATE_LIMITED` | too many attempts; `retryAfterMs` says when the next may be made |
 * | `WORKER_FAILED` | a thread or process of ours ended; the next call starts another |
 */
export const ERROR_CODES = [
  "INVALID_CONFIGURATION",
  "UNKNOWN_COLLECTION",
  "STOPPED",
  "RUN_TIMEOUT",
  "CHANNEL_FAILED",
  "PRIMARY_UNREACHABLE",
  "PRIMARY_TIMEOUT",
  "PRIMARY_UNAVAILABLE",
  "PRIMARY_REFUSED",
  "PRIMARY_REDIRECTED",
  "ANSWER_TOO_LARGE",
  "ANSWER_INVALID",
  "LOCAL_CONFLICT",
  "LOCAL_STORE",
  "MERGE_FAILED",
  "STATE_CORRUPT",
  "FILTERED_DOCUMENT",
  "INVALID_CREDENTIALS",
  "MISSING_DRIVER",
  "SOURCE_UNREACHABLE",
  "SOURCE_REFUSED",
  "SOURCE_FAILED",
  "TABLE_MISSING",
  "UNMAPPABLE_TYPE",
  "TOO_MANY_TIES",
  "INVALID_TASK",
  "UNKNOWN_TASK",
  "TARGET_TAKEN",
  "LOCAL_DATABASE",
  "QUERY_REFUSED",
  "QUERY_FAILED",
  "QUERY_TIMEOUT",
  "INVALID_EXPORT",
  "UNKNOWN_JOB",
  "JOB_UNFINISHED",
  "JOB_FAILED",
  "EXPORT_BUSY",
  "DISK_LIMIT",
  "SNAPSHOT_UNSTEADY",
  "ARTIFACT_STORE",
  "ARTIFACT_MISSING",
  "CALLBACK_REFUSED",
  "PAGE_PROTOCOL",
  "SYNC_REFUSED",
  "SYNC_UNREACHABLE",
  "INVALID_TOKEN",
  "GENERATION_CONFLICT",
  "LOCAL_CHANGES",
  "NOT_A_DATABASE",
  "INTEGRITY_FAILED",
  "PAGE_STORE",
  "QUOTA_EXCEEDED",
  "UNKNOWN_DATABASE",
  "INVALID_ACCOUNT",
  "UNAUTHENTICATED",
  "SIGNUP_CLOSED",
  "NAME_TAKEN",
  "NOT_CONFIGURED",
  "OAUTH_FAILED",
  "RATE_LIMITED",
  "WORKER_FAILED",
] as const;

/** A code of {@link ReplicaError}. Codes are stable; messages are not. */
export type ReplicaErrorCode = (typeof ERROR_CODES)[number];

export interface ReplicaErrorOptions {
  /** HTTP status of the primary's answer, where there was one. */
  readonly status?: number;
  /** Whether the same call may succeed later without anybody mending anything. Default `false`. */
  readonly retryable?: boolean;
  /** The primary's own wish (`Retry-After`), in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** How to mend it, in one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

const BRAND = Symbol.for("starfish-replica.error");

/**
 * Every error that this package throws or hands to `onError`. `instanceof` also holds for an error of another copy of the package in
 * the same process. Messages carry no token, key, passphrase or query parameter value.
 */
export class ReplicaError extends Error {
  readonly code: ReplicaErrorCode;
  readonly status: number | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly hint: string | undefined;

  constructor(code: ReplicaErrorCode, message: string, options: ReplicaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ReplicaError";
    this.code = code;
    this.status = options.status;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.hint = options.hint;
    Object.defineProperty(this, BRAND, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A subclass that is asked keeps the ordinary meaning. (By its parent, not its name: bundlers rename a class that names itself.)
    // biome-ignore lint/complexity/noThisInStatic: see above.
    if (Object.getPrototypeOf(this) !== Error) return isPrototypeOfClass(this, value);
    return typeof value === "object" && value !== null && BRAND in value;
  }
}

function isPrototypeOfClass(type: { readonly prototype: object }, value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.prototype.isPrototypeOf.call(type.prototype, value);
}

/** Options that cannot work. `mistakes` has one entry per mistake; the message has each on a line of its own. */
export class ConfigurationError extends ReplicaError {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(
      "INVALID_CONFIGURATION",
      `[starfish-replica] invalid configuration:\n${mistakes.map((m) => `- ${m}`).join("\n")}`,
    );
    this.name = "ConfigurationError";
    this.mistakes = mistakes;
  }
}

/** The error itself when it is one of ours, else a {@link ReplicaError} of the given code that keeps it as `cause`. */
export function toReplicaError(error: unknown, code: ReplicaErrorCode, what: string): ReplicaError {
  if (error instanceof ReplicaError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ReplicaError(code, `${what}: ${reason}`, { cause: error, retryable: true });
}
