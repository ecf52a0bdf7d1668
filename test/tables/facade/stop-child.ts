// Copies, asks, compares, and stops in the middle of all that.
import { join } from "node:path";
import { createTableReplication } from "../../../src/tables/index.js";

const dir = process.argv[2] ?? "";
const tables = createTableReplication({
  database: join(dir, "replica.db"),
  source: `sqlite:${join(dir, "shop.db")}`,
  tables: ["users", "orders"],
  batchSize: 100,
});
await tables.start();
await tables.runTask("users");
await tables.query("SELECT count(*) FROM users");
const asked = [tables.runTask("orders"), tables.verify("users"), tables.query("SELECT * FROM users")];
const settled = Promise.allSettled(asked);
await tables.stop();
await settled;
await tables.start();
await tables.runTask("orders");
await tables.stop();
console.log("done");
