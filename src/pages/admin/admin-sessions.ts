import { ReplicaError } from "../../errors.js";
import type { Account } from "../accounts/accounts.js";
import type { AdminOptions } from "./admin-options.js";

/** What `AuthResponse` is made of. */
export interface NewSession {
  readonly sessionToken: string;
  readonly whoami: Account;
}

/** Sessions of the admin service: tokens that say who somebody is. */
export class AdminSessions {
  readonly #options: AdminOptions;
  readonly #now: () => number;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  begin(account: Account): NewSession {
    const { userId, email, orgId, role } = account;
    const expiresAt = this.expiry(this.#options.sessionTtlSeconds);
    const claims = { purpose: "session", userId, email, orgId, role } as const;
    return { sessionToken: this.#options.tokens.mint(claims, expiresAt), whoami: account };
  }

  /** Who calls, as the accounts know it now: a token outlives a removed account. @throws `UNAUTHENTICATED`, `INVALID_TOKEN` */
  async account(header: Headers): Promise<Account> {
    const [, token] = /^Bearer +([^ ]+) *$/i.exec(header.get("Authorization") ?? "") ?? [];
    if (token === undefined) throw unauthenticated("This needs a session");
    const { userId } = this.#options.tokens.verify(token, "session");
    const account = await this.#options.parts().accounts.account(userId);
    if (account === null) throw unauthenticated("The account of this session is not there any more");
    return account;
  }

  /** In Unix seconds. */
  expiry(ttlSeconds: number): number {
    return Math.floor(this.#now() / 1_000) + ttlSeconds;
  }
}

function unauthenticated(what: string): ReplicaError {
  return new ReplicaError("UNAUTHENTICATED", what, {
    hint: "Log in, and send the session token as `Authorization: Bearer <token>`",
  });
}
