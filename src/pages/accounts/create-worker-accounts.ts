import { ReplicaError, toReplicaError } from "../../errors.js";
import { OpenedThread } from "../../threads/opened-thread.js";
import { findOwnProgram } from "../../threads/own-program.js";
import { startThread } from "../../threads/start-thread.js";
import { ACCOUNT_METHODS } from "./account-methods.js";
import type { Accounts } from "./accounts.js";
import type { AccountsOptions } from "./create-accounts.js";

const CANNOT_START = "The thread that keeps the accounts cannot be started";

/** What the thread is started with. */
export interface AccountThreadData {
  readonly options: AccountsOptions;
  /** Its own program, for the threads it starts. */
  readonly entry: string;
}

export interface WorkerAccountsOptions {
  /** The file that the threads run. Default: `#account-worker` of the package. */
  readonly entry?: string;
  /** How long `close` waits for the thread to end in good order, before it is ended. Default 10 000. */
  readonly closeGraceMs?: number;
}

/**
 * `Accounts` in a worker thread, started by the first call; passwords are hashed in others, two at a time. When the thread dies, calls under way reject
 * with `WORKER_FAILED`, and the next call starts another. After `close`, which leaves no handle, calls reject with `STOPPED`. Only while a call is under
 * way does it keep the process alive.
 *
 * `open` rejects with `PAGE_STORE` where another page server has the folder, or its `accounts.db` cannot be used. What was answered survives a crash and a
 * power cut. An email belongs to one account and that to one way of logging in: an identity whose email has an account that it did not make is
 * `NAME_TAKEN`, also where another provider has verified the same email. Sign-up does not verify emails.
 */
export function createWorkerAccounts(
  options: AccountsOptions,
  { entry, closeGraceMs }: WorkerAccountsOptions = {},
): Accounts {
  const thread = new OpenedThread({
    start: () => {
      try {
        const program = entry ?? findOwnProgram("#account-worker", CANNOT_START);
        const data: AccountThreadData = { options, entry: program };
        return startThread(program, data, {
          what: "The thread that keeps the accounts",
          afterEnd: "The next call starts another",
          lessMemory: "use less of it elsewhere",
        });
      } catch (error) {
        throw toReplicaError(error, "WORKER_FAILED", CANNOT_START);
      }
    },
    stopped: () => new ReplicaError("STOPPED", "The page server was stopped."),
    ...(closeGraceMs !== undefined && { closeGraceMs }),
  });
  const methods = Object.keys(ACCOUNT_METHODS) as (keyof Accounts)[];
  const accounts: Record<string, unknown> = Object.fromEntries(
    methods.map((method) => [method, (...args: unknown[]) => thread.call(method, args)]),
  );
  accounts.close = () => thread.close();
  return accounts as unknown as Accounts;
}
