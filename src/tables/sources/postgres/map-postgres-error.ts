import { ReplicaError, type ReplicaErrorCode } from "../../../errors.js";
import { systemCode } from "../../../http/system-code.js";

interface Meaning {
  readonly code: ReplicaErrorCode;
  readonly retryable: boolean;
  readonly hint: string;
}

const REFUSED_LOGIN: Meaning = {
  code: "SOURCE_REFUSED",
  retryable: false,
  hint: "Check user and password in the source's URL, and the server's pg_hba.conf.",
};
const AWAY: Meaning = {
  code: "SOURCE_UNREACHABLE",
  retryable: true,
  hint: "Nothing to do where the server comes back; else check that it runs and that host and port in the source's URL are right.",
};
const CHANGED: Meaning = {
  code: "SOURCE_FAILED",
  retryable: true,
  hint: "The table was altered while it was read; the next run looks at it anew.",
};
const TRANSIENT: Meaning = {
  code: "SOURCE_FAILED",
  retryable: true,
  hint: "The server ended the query; the next run tries again.",
};
const FAILED: Meaning = {
  code: "SOURCE_FAILED",
  retryable: false,
  hint: "See the server's log for what it objects to.",
};
const TOO_LONG: Meaning = {
  code: "SOURCE_FAILED",
  retryable: false,
  hint: "A value is longer than Node.js can hold (text of 512 MB, bytea of 256 MB): leave its column out with `columns`, or shorten it at the source.",
};
const BAD_TLS: Meaning = {
  code: "SOURCE_REFUSED",
  retryable: false,
  hint: "Check sslmode and sslrootcert in the source's URL.",
};

/** By SQLSTATE, or by its class (two characters): https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_STATE: Readonly<Record<string, Meaning>> = {
  "28": REFUSED_LOGIN,
  "3D000": { code: "SOURCE_REFUSED", retryable: false, hint: "Check the database's name in the source's URL." },
  "57P04": { code: "SOURCE_REFUSED", retryable: false, hint: "The database was dropped; correct the source's URL." },
  "42501": {
    code: "SOURCE_REFUSED",
    retryable: false,
    hint: "Let the source's role read it: GRANT SELECT ON <table> TO <role>, and GRANT USAGE ON SCHEMA <schema> TO <role>.",
  },
  "42P01": { code: "TABLE_MISSING", retryable: false, hint: "Restore the table at the source, or remove the task." },
  "3F000": { code: "TABLE_MISSING", retryable: false, hint: "Restore the schema at the source, or remove the task." },
  "42703": CHANGED,
  "42804": CHANGED,
  "42883": CHANGED,
  "42846": CHANGED,
  "0A000": FAILED,
  "08": AWAY,
  "53": {
    code: "SOURCE_UNREACHABLE",
    retryable: true,
    hint: "The server is short of connections, memory or disk space; it needs up to 4 connections for this source.",
  },
  "57P01": AWAY,
  "57P02": AWAY,
  "57P03": AWAY,
  "57P05": AWAY,
  "25P03": AWAY,
  "25P04": TRANSIENT,
  "57014": TRANSIENT,
  "55": TRANSIENT,
  "40": TRANSIENT,
};

/** A driver's error as one of ours. `where` names the server and what was done, without credentials. */
export function mapPostgresError(error: unknown, where: string): ReplicaError {
  if (error instanceof ReplicaError) return error;
  const { code, retryable, hint } = meaningOf(error);
  const reason = (error instanceof Error ? error.message : String(error)) || systemCode(error) || "no reason given";
  return new ReplicaError(code, `${where}: ${reason}`, { retryable, hint, cause: error });
}

/** The server's own five characters; `null` for an error that did not come from it. */
export function sqlState(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("severity" in error)) return null;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : null;
}

function meaningOf(error: unknown): Meaning {
  const state = sqlState(error);
  if (state !== null) return BY_STATE[state] ?? BY_STATE[state.slice(0, 2)] ?? FAILED;
  const system = systemCode(error);
  if (system === "ERR_STRING_TOO_LONG") return TOO_LONG;
  if (system !== null && /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(system)) return BAD_TLS;
  if (system !== null && /^E[A-Z_]+$/.test(system) && !system.startsWith("ERR_")) return AWAY;
  const message = error instanceof Error ? error.message : "";
  // The driver gives these no code.
  if (message.startsWith("SASL:") || message.includes("password must be")) return REFUSED_LOGIN;
  if (/SSL/.test(message)) return BAD_TLS;
  return /connection|timeout|terminated|closed|not queryable/i.test(message) ? AWAY : FAILED;
}
