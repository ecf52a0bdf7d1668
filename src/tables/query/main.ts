// What the package runs as a process of its own for local queries (`#query-worker`). Its arguments are the file and the process that asked for it.
import { loadDriver } from "../../drivers/load-driver.js";
import { endWithParent } from "../../threads/end-with-parent.js";
import { sendToParent } from "../../threads/send-to-parent.js";
import { type ServedMethod, serveCalls } from "../../threads/serve-calls.js";
import { type QueryLimits, QueryReader } from "./query-reader.js";
import type { QueryParameters } from "./query-result.js";

const path = process.argv[2] as string;
let reader: QueryReader | undefined;

const methods = new Map<string, ServedMethod>([
  [
    "open",
    async () => {
      reader ??= new QueryReader(await loadDriver("better-sqlite3"), path);
    },
  ],
  [
    "query",
    (sql: string, parameters: QueryParameters, limits: QueryLimits) =>
      reader?.read(sql, parameters, limits, (rows) => sendToParent({ kind: "event", value: rows })),
  ],
]);

endWithParent(Number(process.argv[3]));
process.on("message", serveCalls(methods, sendToParent) as (message: unknown) => void);
