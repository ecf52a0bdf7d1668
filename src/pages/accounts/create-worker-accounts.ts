import type { Accounts } from "./accounts.js";

export interface AccountsOptions {
  /** The folder of `accounts.db`, made where there is none. */
  readonly dir: string;
  /** Databases of one organisation. Default 1 000. */
  readonly maxDatabases?: number;
}

/** Accounts in a thread of their own. */
export function createWorkerAccounts(_options: AccountsOptions): Accounts {
  throw new Error("not yet");
}
