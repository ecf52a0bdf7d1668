import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { TableRun } from "../../../src/tables/tasks/table-task.js";
import { startPostgres, type TestDatabase, type TestPostgres } from "../../support/postgres.js";
import { inCi } from "../../support/size.js";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { startCopyProcess } from "./copy-process.js";
import { keepTables } from "./kept-tables.js";
import { createOrders, expectEqual } from "./orders-table.js";

const ROWS = 10_000;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

/** A table behind a line that takes its time. */
async function start(): Promise<{ source: TestDatabase; line: TcpProxy; url: string }> {
  const source = await postgres.createDatabase();
  await createOrders(source, ROWS);
  const line = await startTcpProxy(postgres.port);
  line.drip(16_384, 10);
  return { source, line, url: source.urlFor({ port: line.port }) };
}

const ORDERS = { sourceTable: "orders", batchSize: 200 };

describe("The thread that copies", () => {
  it("may run out of memory: the run fails, says what helps, and the copy goes on when there is less to hold", async () => {
    const source = await postgres.createDatabase();
    await source.query(
      "CREATE TABLE log (at timestamptz NOT NULL, body text); INSERT INTO log VALUES (now(), 'small')",
    );
    const { child, call } = await startCopyProcess(
      {
        database: join(tempDir(), "replica.db"),
        source: source.url,
        lagSeconds: 0,
        tasks: [{ sourceTable: "log", mode: "append", cursorColumn: "at", intervalSeconds: 3_600 }],
        backOff: { baseMs: 50, capMs: 300 },
      },
      { nodeArgs: ["--max-old-space-size=64"] },
    );
    await call("runTask", "log");
    // Without a key, rows of one time are held together.
    await source.query("INSERT INTO log SELECT now(), repeat('wide', 50000) FROM generate_series(1, 1500)");
    await expect(call("runTask", "log")).rejects.toMatchObject({
      code: "WORKER_FAILED",
      hint: expect.stringMatching(/memory/),
    });
    const failed = (await call<TableRun[]>("runs", "log")).find(({ error }) => error !== null);
    expect(failed?.error?.code).toBe("WORKER_FAILED");
    await source.query("DELETE FROM log WHERE length(body) > 100; INSERT INTO log VALUES (now(), 'bearable')");
    // A retry may be under way that has met the wide rows still.
    await call("runTask", "log").catch(() => call("runTask", "log"));
    expect(await call("verify", "log")).toMatchObject({ equal: true });
    await child.kill();
  });
});

describe("stop() in the middle of a copy", () => {
  it("is quick, and start() goes on where the last batch ended", async () => {
    const { source, line, url } = await start();
    const { tables, count, file, pulled, caughtUp } = await keepTables({ source: url, tasks: [ORDERS] });
    for (let round = 0; round < 3; round += 1) {
      const before = count("orders");
      await waitFor(() => count("orders") > before, { timeoutMs: 15_000, everyMs: 2 });
      const began = performance.now();
      await tables.stop();
      expect(performance.now() - began).toBeLessThan(2_000);
      expect(count("orders")).toBeLessThan(ROWS);
      await tables.start();
    }
    await line.pass();
    await caughtUp("orders");
    await expectEqual(source, file);
    expect(pulled("orders")).toBeLessThan(1.3 * ROWS);
    const runs = await tables.runs("orders");
    expect(runs.filter(({ error }) => error?.code === "STOPPED")).toHaveLength(3);
  });

  it.runIf(inCi)("is quick also where the source says nothing any more", async () => {
    const { line, url } = await start();
    const { tables, count } = await keepTables({ source: url, tasks: [ORDERS] });
    await waitFor(() => count("orders") > 0, { timeoutMs: 15_000, everyMs: 2 });
    line.blackHole();
    const began = performance.now();
    await tables.stop();
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  it("lets the process end by itself", async () => {
    const { url } = await start();
    const { child, call } = await startCopyProcess({
      database: join(tempDir(), "replica.db"),
      source: url,
      tasks: [ORDERS],
    });
    await waitFor(async () => (await call<{ lastRun: TableRun | null }>("task", "orders")).lastRun?.rowsPulled, {
      timeoutMs: 15_000,
    });
    await call("stop");
    const began = performance.now();
    child.writeLine(JSON.stringify({ method: "leave", args: [] }));
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe("Two processes with one local file", () => {
  it.runIf(inCi)(
    "do not both copy into it: the second is refused, and takes over when the first has died",
    async () => {
      const { source, line, url } = await start();
      const file = join(tempDir(), "replica.db");
      const options = { database: file, source: url, tasks: [ORDERS] };
      const first = await startCopyProcess(options);
      await expect(startCopyProcess(options)).rejects.toMatchObject({
        code: "LOCAL_DATABASE",
        message: expect.stringMatching(/another process/),
        hint: expect.stringMatching(/stop/),
      });
      await waitFor(
        async () => (await first.call<{ lastRun: TableRun | null }>("task", "orders")).lastRun?.rowsPulled,
        {
          timeoutMs: 15_000,
        },
      );
      await first.child.kill();
      await line.pass();
      const second = await startCopyProcess(options);
      await second.call("runTask", "orders");
      await expectEqual(source, file);
      await second.child.kill();
    },
  );
});
