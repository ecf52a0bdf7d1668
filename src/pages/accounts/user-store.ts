import type Database from "better-sqlite3";
import { ReplicaError } from "../../errors.js";
import type { Account, ProviderIdentity } from "./accounts.js";
import { randomId } from "./random-id.js";

/** A user with what proves who it is. */
export interface StoredUser {
  readonly account: Account;
  /** A PHC string; `null`: logs in with a provider. */
  readonly passwordHash: string | null;
}

interface UserRow {
  readonly id: string;
  readonly email: string;
  readonly org_id: string;
  readonly role: "admin" | "member";
  readonly password_hash: string | null;
}

const COLUMNS = "users.id, users.email, users.org_id, users.role, users.password_hash";

/** Users, their organisations, and the providers they log in with. Every method is one transaction; emails are in their one form. */
export class UserStore {
  readonly #database: Database.Database;
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(database: Database.Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  byId(id: string): StoredUser | undefined {
    return this.#one(`SELECT ${COLUMNS} FROM users WHERE id = ?`, id);
  }

  byEmail(email: string): StoredUser | undefined {
    return this.#one(`SELECT ${COLUMNS} FROM users WHERE email = ?`, email);
  }

  /** @throws `NAME_TAKEN` */
  addWithPassword(email: string, passwordHash: string): Account {
    return this.#database
      .transaction(() => {
        this.checkFree(email);
        return this.#add(email, passwordHash);
      })
      .immediate();
  }

  /** @throws `NAME_TAKEN` where somebody has the email, whichever way they log in */
  checkFree(email: string): void {
    if (this.byEmail(email) === undefined) return;
    throw new ReplicaError("NAME_TAKEN", "There is an account with this email already", {
      hint: "Log in with it, or sign up with another email.",
    });
  }

  /** Where it is still the old one. */
  replacePasswordHash(userId: string, old: string, fresh: string): void {
    this.#database
      .prepare("UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?")
      .run(fresh, userId, old);
  }

  /**
   * The user of this identity, made where there is none.
   * @param allowNew whether one may be made
   * @throws `SIGNUP_CLOSED` where one would have to be made and may not;
   * `NAME_TAKEN` where an account has the email that is not this identity's: it would be a way into that account for whoever the email belongs to
   * today (a former owner's domain, a former employee's address), which its user never opened
   */
  ofIdentity({ provider, subject, email }: ProviderIdentity, allowNew: boolean): Account {
    return this.#database
      .transaction(() => {
        const known = this.#one(
          `SELECT ${COLUMNS} FROM identities JOIN users ON users.id = identities.user_id WHERE provider = ? AND subject = ?`,
          provider,
          subject,
        );
        if (known !== undefined) return known.account;
        const other = this.byEmail(email);
        if (other !== undefined) throw otherWay(other, this.#providerOf(other));
        if (!allowNew) throw signupClosed();
        const account = this.#add(email, null);
        this.#database
          .prepare("INSERT INTO identities (provider, subject, user_id, created_at) VALUES (?, ?, ?, ?)")
          .run(provider, subject, account.userId, this.#seconds());
        return account;
      })
      .immediate();
  }

  #add(email: string, passwordHash: string | null): Account {
    const account: Account = { userId: randomId(), email, orgId: randomId(), role: "admin" };
    const seconds = this.#seconds();
    this.#database.prepare("INSERT INTO organisations (id, created_at) VALUES (?, ?)").run(account.orgId, seconds);
    this.#database
      .prepare("INSERT INTO users (id, email, org_id, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?)")
      .run(account.userId, email, account.orgId, account.role, passwordHash, seconds);
    return account;
  }

  #one(sql: string, ...values: readonly string[]): StoredUser | undefined {
    const row = this.#database.prepare(sql).get(...values) as UserRow | undefined;
    if (row === undefined) return undefined;
    const { id: userId, email, org_id: orgId, role, password_hash: passwordHash } = row;
    return { account: { userId, email, orgId, role }, passwordHash };
  }

  #providerOf({ account }: StoredUser): string | undefined {
    const sql = "SELECT provider FROM identities WHERE user_id = ?";
    return this.#database.prepare(sql).pluck().get(account.userId) as string | undefined;
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1_000);
  }
}

/** Whoever reads it has shown to a provider that the email is theirs. */
function otherWay({ passwordHash }: StoredUser, provider: string | undefined): ReplicaError {
  const way = passwordHash === null ? `with ${provider ?? "another provider"}` : "with its password";
  return new ReplicaError("NAME_TAKEN", `There is an account with this email already: it logs in ${way}`, {
    hint: `Log in ${way}, or use another email.`,
  });
}

function signupClosed(): ReplicaError {
  return new ReplicaError("SIGNUP_CLOSED", "This server takes no new accounts", {
    hint: "Ask whoever runs it for one.",
  });
}
