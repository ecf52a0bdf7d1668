// What the package runs in the thread that keeps the accounts, and in those that hash its passwords (`#account-worker`).
import { workerData } from "node:worker_threads";
import { createAccounts } from "./create-accounts.js";
import type { AccountThreadData } from "./create-worker-accounts.js";
import { PASSWORD_THREAD } from "./password-threads.js";
import { serveAccounts } from "./serve-accounts.js";
import { servePasswords } from "./serve-passwords.js";

if (workerData === PASSWORD_THREAD) {
  servePasswords();
} else {
  const { options, entry } = workerData as AccountThreadData;
  serveAccounts(createAccounts(options, entry));
}
