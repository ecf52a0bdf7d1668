import type { Accounts } from "./accounts.js";

/** What can be called across the thread: a method of `Accounts` is one line here. */
export const ACCOUNT_METHODS: Readonly<Record<keyof Accounts, true>> = {
  open: true,
  signup: true,
  login: true,
  loginWith: true,
  account: true,
  createDatabase: true,
  listDatabases: true,
  database: true,
  deleteDatabase: true,
  databaseIds: true,
  startOAuth: true,
  takeOAuth: true,
  close: true,
};
