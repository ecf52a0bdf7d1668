export interface Account {
  readonly userId: string;
  readonly email: string;
  readonly orgId: string;
  readonly role: "admin" | "member";
}

export interface DatabaseRecord {
  readonly id: string;
  readonly orgId: string;
  readonly name: string;
  /** Unix seconds. */
  readonly createdAt: number;
}

/** Somebody whom an OAuth provider has identified. */
export interface ProviderIdentity {
  readonly provider: "github" | "google";
  /** The provider's own id of the user, which never changes. */
  readonly subject: string;
  /** An address that the provider has verified. */
  readonly email: string;
}

/** A login at an OAuth provider that has begun. */
export interface OAuthAttempt {
  readonly provider: "github" | "google";
  /** The PKCE secret, RFC 7636. */
  readonly codeVerifier: string;
}

/** Users, organisations and databases, in `accounts.db`. Each signup makes an organisation of its own, whose admin the user is. */
export interface Accounts {
  open(): Promise<void>;
  /** @throws `INVALID_ACCOUNT`, `NAME_TAKEN` */
  signup(email: string, password: string): Promise<Account>;
  /** @throws `UNAUTHENTICATED`, after the same time whether the email or the password is wrong. */
  login(email: string, password: string): Promise<Account>;
  /**
   * The account of this identity, made where there is none.
   * @param allowNew whether one may be made
   * @throws `NAME_TAKEN` where a user with a password has the email; `SIGNUP_CLOSED` where one would have to be made and may not
   */
  loginWith(identity: ProviderIdentity, allowNew: boolean): Promise<Account>;
  /** `null` for a user that is not there. */
  account(userId: string): Promise<Account | null>;
  /** @throws `INVALID_ACCOUNT`, `NAME_TAKEN` */
  createDatabase(orgId: string, name: string): Promise<DatabaseRecord>;
  /** By name. */
  listDatabases(orgId: string): Promise<readonly DatabaseRecord[]>;
  /** @throws `UNKNOWN_DATABASE`, also where it is somebody else's. */
  database(orgId: string, databaseId: string): Promise<DatabaseRecord>;
  /** @throws as `database` */
  deleteDatabase(orgId: string, databaseId: string): Promise<void>;
  /** Ids of all databases, to find files that nothing refers to. */
  databaseIds(): Promise<readonly string[]>;
  /** Remembers a login that begins. @returns the state, which nobody can guess */
  startOAuth(attempt: OAuthAttempt, ttlSeconds: number): Promise<string>;
  /** Once and before its time is over. @throws `OAUTH_FAILED` else */
  takeOAuth(state: string): Promise<OAuthAttempt>;
  close(): Promise<void>;
}
