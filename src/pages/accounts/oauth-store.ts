import { createHash } from "node:crypto";
import type Database from "better-sqlite3";
import { ReplicaError } from "../../errors.js";
import type { OAuthAttempt } from "./accounts.js";
import { randomState } from "./random-id.js";

interface AttemptRow {
  readonly provider: "github" | "google";
  readonly code_verifier: string;
  readonly expires_at_ms: number;
}

/** Logins at a provider that have begun. Only hashes of their states are kept. Every method is one transaction. */
export class OAuthStore {
  readonly #database: Database.Database;
  readonly #maxAttempts: number;
  readonly #now: () => number;

  /**
   * @param maxAttempts kept at once: the next one takes the place of the one that would end first
   * @param now milliseconds since 1970
   */
  constructor(database: Database.Database, maxAttempts: number, now: () => number) {
    this.#database = database;
    this.#maxAttempts = maxAttempts;
    this.#now = now;
  }

  /** @returns the state */
  start({ provider, codeVerifier }: OAuthAttempt, ttlSeconds: number): string {
    const state = randomState();
    const now = this.#now();
    this.#database
      .transaction(() => {
        this.sweep();
        this.#database
          .prepare(
            "DELETE FROM oauth_attempts WHERE state_hash IN (SELECT state_hash FROM oauth_attempts ORDER BY expires_at_ms DESC LIMIT -1 OFFSET ?)",
          )
          .run(this.#maxAttempts - 1);
        this.#database
          .prepare(
            "INSERT INTO oauth_attempts (state_hash, provider, code_verifier, expires_at_ms) VALUES (?, ?, ?, ?)",
          )
          .run(hashOf(state), provider, codeVerifier, Math.ceil(now + ttlSeconds * 1_000));
      })
      .immediate();
    return state;
  }

  /** It is gone after this. @throws `OAUTH_FAILED`: unknown, used already, too late */
  take(state: string): OAuthAttempt {
    const row = this.#database
      .prepare("DELETE FROM oauth_attempts WHERE state_hash = ? RETURNING provider, code_verifier, expires_at_ms")
      .get(hashOf(state)) as AttemptRow | undefined;
    if (row === undefined) throw failed("This login was not begun here, or was completed already");
    if (row.expires_at_ms <= this.#now()) throw failed("This login was begun too long ago");
    return { provider: row.provider, codeVerifier: row.code_verifier };
  }

  /** Those whose time is over. */
  sweep(): void {
    this.#database.prepare("DELETE FROM oauth_attempts WHERE expires_at_ms <= ?").run(this.#now());
  }
}

function hashOf(state: string): Buffer {
  return createHash("sha256").update(state).digest();
}

function failed(what: string): ReplicaError {
  return new ReplicaError("OAUTH_FAILED", what, { hint: "Begin the login anew." });
}
