import { createWorkerAccounts } from "../../../src/pages/accounts/create-worker-accounts.js";
import { CHEAP, PASSWORD } from "./open-accounts.js";

/** Leaves its accounts open or closes them, and has nothing more to do. */
const [, , dir = "", closes] = process.argv;
const accounts = createWorkerAccounts({ dir, passwordCost: CHEAP });
await accounts.signup("ann@example.com", PASSWORD);
if (closes === "closes") await accounts.close();
console.log("done");
