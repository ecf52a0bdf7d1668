import { createWorkerAccounts } from "../../../src/pages/accounts/create-worker-accounts.js";
import { CHEAP, PASSWORD } from "./open-accounts.js";

/** Signs users up and makes them databases, and says so only when the answer is there, until it is killed. */
const [, , dir = ""] = process.argv;
const accounts = createWorkerAccounts({ dir, passwordCost: CHEAP });
for (let n = 0; ; n += 1) {
  const { orgId, email } = await accounts.signup(`user${n}@example.com`, PASSWORD);
  const { id } = await accounts.createDatabase(orgId, "shop");
  process.stdout.write(`${email} ${orgId} ${id}\n`);
}
