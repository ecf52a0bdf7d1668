import { workerData } from "node:worker_threads";
import { createAccounts } from "../../../src/pages/accounts/create-accounts.js";
import type { AccountThreadData } from "../../../src/pages/accounts/create-worker-accounts.js";
import { PASSWORD_THREAD } from "../../../src/pages/accounts/password-threads.js";
import { serveAccounts } from "../../../src/pages/accounts/serve-accounts.js";
import { servePasswords } from "../../../src/pages/accounts/serve-passwords.js";

/** The threads of the accounts, each of which ends in the middle of whatever it does when it is told to. */
const isForPasswords = workerData === PASSWORD_THREAD;
const death = new BroadcastChannel(isForPasswords ? "password-worker" : "account-worker");
death.onmessage = () => process.exit(1);

if (isForPasswords) {
  servePasswords();
} else {
  const { options, entry } = workerData as AccountThreadData;
  serveAccounts(createAccounts(options, entry));
}
