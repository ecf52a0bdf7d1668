import { createInterface } from "node:readline";
import { ReplicaError } from "../../../src/errors.js";
import { createTableReplication } from "../../../src/tables/create-table-replication.js";
import type { TableReplicationOptions } from "../../../src/tables/table-replication-options.js";

/** Keeps tables in step as its argument says (JSON of the options), and calls its methods for lines of stdin. There to be killed. */
const options = JSON.parse(process.argv[2] ?? "{}") as TableReplicationOptions;
const tables = createTableReplication(options);

function say(what: string, value: unknown): void {
  process.stdout.write(`${what} ${JSON.stringify(value)}\n`);
}

try {
  await tables.start();
  say("started", null);
} catch (error) {
  say("refused", error instanceof ReplicaError ? { ...error, message: error.message } : String(error));
}

for await (const line of createInterface({ input: process.stdin })) {
  const { method, args } = JSON.parse(line) as { method: keyof typeof tables; args: unknown[] };
  if ((method as string) === "leave") break;
  const call = tables[method] as (...args: unknown[]) => Promise<unknown>;
  void call.apply(tables, args).then(
    (value) => say(`${method} gave`, value ?? null),
    (error: unknown) => say(`${method} failed`, error instanceof Error ? { ...error, message: error.message } : error),
  );
}
// What keeps the process alive from here on is the replication's doing.
process.stdin.destroy();
