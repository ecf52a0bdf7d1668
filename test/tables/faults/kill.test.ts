import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import type { TableRun, VerifyResult } from "../../../src/tables/tasks/table-task.js";
import { atEnd } from "../../support/at-end.js";
import { startPostgres, type TestPostgres } from "../../support/postgres.js";
import { realDelay } from "../../support/real-time.js";
import { size } from "../../support/size.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { BusyWriter } from "./busy-writer.js";
import { startCopyProcess } from "./copy-process.js";
import { createOrders, expectEqual } from "./orders-table.js";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

interface Books {
  readonly pulled: number;
  readonly complete: boolean;
}

/** What the file says, with or without a process that writes it. */
function readBooks(file: string): Books {
  const database = new Database(file, { readonly: true });
  try {
    const pulled = database.prepare("SELECT coalesce(sum(rows_pulled), 0) FROM replication_runs").pluck().get();
    const data = database.prepare("SELECT data FROM replication_state").pluck().get() as string | undefined;
    return { pulled: pulled as number, complete: data === undefined ? false : JSON.parse(data).complete };
  } finally {
    database.close();
  }
}

describe("A process that is killed (kill -9) while it copies a table in use, again and again", () => {
  it("goes on where its last batch ended, and ends with an equal copy", { timeout: 30 * 60_000 }, async () => {
    const rows = size({ test: 15_000, ci: 100_000, soak: 300_000 });
    const rounds = size({ test: 2, ci: 10, soak: 25 });
    const source = await postgres.createDatabase();
    await createOrders(source, rows);
    const file = join(tempDir(), "replica.db");
    // A line that takes its time: whoever waits for a number of rows must not find them all.
    const line = await startTcpProxy(postgres.port);
    line.drip(16_384, 10);
    const options = {
      database: file,
      source: source.urlFor({ port: line.port }),
      tasks: [{ sourceTable: "orders", batchSize: 500, intervalSeconds: 1 }],
    };
    const writer = new BusyWriter(source);
    atEnd(() => writer.stop());
    await writer.start();
    let killedInTheMiddle = 0;
    for (let round = 1; round <= rounds; round += 1) {
      const before = round === 1 ? 0 : readBooks(file).pulled;
      // So that the last kill, too, meets a copy that is not complete.
      const enough = (Math.random() * 1.6 * Math.max(0, rows - before)) / (rounds - round + 2);
      const { child } = await startCopyProcess(options);
      await waitFor(() => readBooks(file).pulled - before > enough, { timeoutMs: 60_000, everyMs: 2 });
      await realDelay(Math.random() * 10);
      await child.kill();
      const { pulled, complete } = readBooks(file);
      expect(pulled, "pulled rows are in the books").toBeGreaterThan(before);
      if (!complete) killedInTheMiddle += 1;
    }
    expect(killedInTheMiddle).toBeGreaterThan(rounds / 2);

    await line.pass();
    const last = await startCopyProcess(options);
    await last.call<TableRun>("runTask", "orders");
    await writer.stop();
    await last.call<TableRun>("runTask", "orders");
    const copied = await expectEqual(source, file);
    expect(copied).toBeGreaterThan(rows);
    expect(await last.call<VerifyResult>("verify", "orders")).toMatchObject({ equal: true });
    const runs = await last.call<TableRun[]>("runs", "orders", 200);
    expect(runs.filter(({ error }) => error?.code === "WORKER_FAILED").length).toBeGreaterThan(rounds / 2);
    // The newest may be under way.
    expect(runs.slice(1).every(({ finishedAt }) => finishedAt !== null)).toBe(true);
    // What is younger than the lag is read by every run, so that a row that is written now may come several times.
    const { pulled } = readBooks(file);
    process.stdout.write(
      `killed in the middle: ${killedInTheMiddle} of ${rounds}; pulled ${pulled} of ${rows} + ${writer.changed}\n`,
    );
    expect(pulled).toBeLessThan(1.3 * rows + 8 * writer.changed);
  });
});
