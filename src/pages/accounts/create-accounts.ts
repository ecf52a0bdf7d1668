import { ReplicaError } from "../../errors.js";
import type { Account, Accounts, ProviderIdentity } from "./accounts.js";
import { parseDatabaseName } from "./database-name.js";
import { DatabaseStore } from "./database-store.js";
import { parseEmail } from "./email.js";
import { mapAccountsError } from "./map-accounts-error.js";
import { OAuthStore } from "./oauth-store.js";
import { type AccountFile, openAccountFile } from "./open-account-file.js";
import { parsePassword, passwordBytes } from "./password.js";
import type { PasswordCost } from "./password-hash.js";
import { PasswordThreads } from "./password-threads.js";
import { Passwords } from "./passwords.js";
import { type StoredUser, UserStore } from "./user-store.js";

export interface AccountsOptions {
  /** The folder of `accounts.db`, made where there is none. */
  readonly dir: string;
  /** Databases of one organisation. Default 1 000. */
  readonly maxDatabases?: number;
  /** Logins at OAuth providers under way at once; another one ends the oldest. Default 10 000. */
  readonly maxOAuthAttempts?: number;
  /**
   * Of new password hashes; one that costs another is made anew when its user logs in, and until then a wrong
   * password for that user takes the time of the old cost. Default: what OWASP advises, 46 MiB once over.
   */
  readonly passwordCost?: PasswordCost;
  /** Password hashes computed at once. Default 2. */
  readonly passwordThreads?: number;
  /** Password hashes that may wait for that; with more, sign-up and login reject with `RATE_LIMITED`. Default 64. */
  readonly maxWaitingPasswords?: number;
}

interface Opened {
  readonly file: AccountFile;
  readonly users: UserStore;
  readonly databases: DatabaseStore;
  readonly oauth: OAuthStore;
}

/** `Accounts` in this thread, which waits for the disk, and for nothing else: passwords are hashed in threads of `passwordEntry`. */
export function createAccounts(options: AccountsOptions, passwordEntry: string): Accounts {
  const {
    dir,
    maxDatabases = 1_000,
    maxOAuthAttempts = 10_000,
    passwordCost,
    passwordThreads,
    maxWaitingPasswords,
  } = options;
  const threads = new PasswordThreads({
    entry: passwordEntry,
    ...(passwordThreads !== undefined && { threads: passwordThreads }),
    ...(maxWaitingPasswords !== undefined && { maxWaiting: maxWaitingPasswords }),
  });
  const passwords = new Passwords(threads, passwordCost);
  let opened: Opened | undefined;

  /** Everything that touches the file, so that its errors are ours. */
  function on<T>(work: (opened: Opened) => T): T {
    if (opened === undefined) throw new ReplicaError("STOPPED", "The accounts are not open.");
    try {
      return work(opened);
    } catch (error) {
      throw mapAccountsError(error, `The accounts in ${dir} failed`);
    }
  }

  async function renewHash({ account, passwordHash }: StoredUser, password: Uint8Array): Promise<void> {
    if (passwordHash === null || !passwords.isOutdated(passwordHash)) return;
    let fresh: string;
    try {
      fresh = await passwords.hash(password);
    } catch (error) {
      // Whoever has logged in is logged in: the next login renews it.
      if (error instanceof ReplicaError && error.code === "RATE_LIMITED") return;
      throw error;
    }
    on(({ users }) => users.replacePasswordHash(account.userId, passwordHash, fresh));
  }

  return {
    async open() {
      if (opened !== undefined) return;
      const file = await openAccountFile(dir);
      const { database } = file;
      opened = {
        file,
        users: new UserStore(database, Date.now),
        databases: new DatabaseStore(database, maxDatabases, Date.now),
        oauth: new OAuthStore(database, maxOAuthAttempts, Date.now),
      };
      on(({ oauth }) => oauth.sweep());
    },
    async signup(email, password) {
      const address = parseEmail(email);
      const bytes = parsePassword(password);
      // Here too, so that nobody makes us hash for nothing.
      on(({ users }) => users.checkFree(address));
      const hash = await passwords.hash(bytes);
      return on(({ users }) => users.addWithPassword(address, hash));
    },
    async login(email, password) {
      const address = emailOrNull(email);
      const user = address === null ? undefined : on(({ users }) => users.byEmail(address));
      const bytes = passwordBytes(password);
      const isRight = await passwords.isRight(bytes, user?.passwordHash ?? null);
      if (!isRight || user === undefined) throw wrongLogin();
      await renewHash(user, bytes);
      return user.account;
    },
    async loginWith(identity, allowNew) {
      const checked = parseIdentity(identity);
      return on(({ users }) => users.ofIdentity(checked, allowNew));
    },
    async account(userId) {
      return on(({ users }): Account | null => users.byId(String(userId))?.account ?? null);
    },
    async createDatabase(orgId, name) {
      const parsed = parseDatabaseName(name);
      return on(({ databases }) => databases.add(String(orgId), parsed));
    },
    async listDatabases(orgId) {
      return on(({ databases }) => databases.list(String(orgId)));
    },
    async database(orgId, databaseId) {
      return on(({ databases }) => databases.get(String(orgId), String(databaseId)));
    },
    async deleteDatabase(orgId, databaseId) {
      on(({ databases }) => databases.remove(String(orgId), String(databaseId)));
    },
    async databaseIds() {
      return on(({ databases }) => databases.ids());
    },
    async startOAuth(attempt, ttlSeconds) {
      return on(({ oauth }) => oauth.start(attempt, ttlSeconds));
    },
    async takeOAuth(state) {
      return on(({ oauth }) => oauth.take(String(state)));
    },
    async close() {
      const last = opened;
      opened = undefined;
      await threads.close();
      last?.file.close();
    },
  };
}

function parseIdentity(identity: ProviderIdentity): ProviderIdentity {
  const { provider, subject, email } = identity;
  const isUsable = typeof subject === "string" && subject !== "" && subject.length <= 255;
  if (!isUsable || (provider !== "github" && provider !== "google")) {
    throw new ReplicaError("INVALID_ACCOUNT", "The provider has named a user without an id that can be used", {
      hint: "Log in with email and password.",
    });
  }
  return { provider, subject, email: parseEmail(email) };
}

/** What is no email is nobody's: whoever logs in with it waits as long as anybody. */
function emailOrNull(value: unknown): string | null {
  try {
    return parseEmail(value);
  } catch {
    return null;
  }
}

function wrongLogin(): ReplicaError {
  return new ReplicaError("UNAUTHENTICATED", "The email or the password is wrong", {
    hint: "Check both, or sign up.",
  });
}
