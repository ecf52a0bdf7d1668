import type { Accounts } from "../../../src/pages/accounts/accounts.js";
import type { AccountsOptions } from "../../../src/pages/accounts/create-accounts.js";
import { createWorkerAccounts } from "../../../src/pages/accounts/create-worker-accounts.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";

/** Cheap, for tests that are about something else. */
export const CHEAP = { memoryKiB: 64, iterations: 1 } as const;

export const PASSWORD = "correct horse";

/** Accounts in their thread, closed when the test ends. */
export function openAccounts(options: Partial<AccountsOptions> = {}, entry?: string): Accounts & { dir: string } {
  const dir = options.dir ?? tempDir();
  const accounts = createWorkerAccounts({ passwordCost: CHEAP, ...options, dir }, entry === undefined ? {} : { entry });
  atEnd(() => accounts.close());
  return Object.assign(accounts, { dir });
}
