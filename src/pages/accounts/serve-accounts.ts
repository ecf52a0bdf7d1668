import { type MessagePort, parentPort } from "node:worker_threads";
import { type ServedMethod, serveCalls } from "../../threads/serve-calls.js";
import { ACCOUNT_METHODS } from "./account-methods.js";
import type { Accounts } from "./accounts.js";

/** Answers the main thread's calls with these accounts. Only inside a worker. */
export function serveAccounts(accounts: Accounts): void {
  const port = parentPort as MessagePort;
  const methods = new Map<string, ServedMethod>(
    (Object.keys(ACCOUNT_METHODS) as (keyof Accounts)[]).map((name) => [
      name,
      (accounts[name] as ServedMethod).bind(accounts),
    ]),
  );
  port.on(
    "message",
    serveCalls(methods, (message) => port.postMessage(message)),
  );
}
