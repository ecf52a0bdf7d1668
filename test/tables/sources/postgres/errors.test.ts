import { getEventListeners, setMaxListeners } from "node:events";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { createPostgresSource } from "../../../../src/tables/sources/postgres/create-postgres-source.js";
import type { TableSource } from "../../../../src/tables/sources/table-source.js";
import { atEnd } from "../../../support/at-end.js";
import { startPostgres, type TestPostgres } from "../../../support/postgres.js";
import { startTcpProxy } from "../../../support/tcp-proxy.js";
import { waitFor } from "../../../support/wait.js";

let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
  await server.query(`CREATE TABLE t (id int PRIMARY KEY, v text);
    INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, 100000) i;
    CREATE ROLE reader LOGIN PASSWORD 'reader'; CREATE SCHEMA hidden; CREATE TABLE hidden.h (id int PRIMARY KEY)`);
});

const signal = new AbortController().signal;
setMaxListeners(0, signal);
const open = (url: string): TableSource => {
  const source = createPostgresSource(url);
  atEnd(() => source.close());
  return source;
};
const look = (source: TableSource, name = "t") => source.describe(name, { numeric: "real", signal });

async function drain(source: TableSource, onBatch: () => unknown): Promise<number> {
  const table = await look(source);
  let rows = 0;
  for await (const batch of source.read({ table, keyset: ["id"], batchSize: 100, signal })) {
    rows += batch.rows.length;
    await onBatch();
  }
  return rows;
}

describe("errors of a PostgreSQL source", () => {
  it("refuses a wrong password, an unknown role and an unknown database, and shows no password", async () => {
    for (const url of [
      server.urlFor({ password: "s3cret-wrong" }),
      server.urlFor({ user: "nobody-here", password: "s3cret-wrong" }),
      `${server.url}-not-there`,
    ]) {
      const error: unknown = await look(open(url)).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "SOURCE_REFUSED", retryable: false });
      expect(`${(error as Error).message} ${(error as { hint?: string }).hint}`).not.toMatch(/s3cret-wrong|secret@/);
      expect((error as Error).message).toContain(`127.0.0.1:${server.port}`);
    }
  });

  it("refuses a URL of something else", () => {
    for (const url of ["mysql://x", "nonsense", "postgres://user:pa ss:word@[bad/db"]) {
      expect(() => createPostgresSource(url)).toThrow(expect.objectContaining({ code: "INVALID_CONFIGURATION" }));
    }
  });

  it("says how to grant what is not permitted, and works once it is", async () => {
    const source = open(server.urlFor({ user: "reader", password: "reader" }));
    await expect(look(source)).rejects.toMatchObject({
      code: "SOURCE_REFUSED",
      hint: expect.stringContaining('GRANT SELECT ON "public"."t" TO "reader"'),
    });
    await expect(look(source, "hidden.h")).rejects.toMatchObject({
      code: "SOURCE_REFUSED",
      hint: expect.stringContaining('GRANT USAGE ON SCHEMA "hidden"'),
    });
    await server.query("GRANT SELECT ON t TO reader");
    const table = await look(source);
    expect((await source.digest(table, { lower: null, upper: [10n] }, signal)).rows).toBe(10);
    await server.query("REVOKE SELECT ON t FROM reader");
    await expect(source.digest(table, { lower: null, upper: null }, signal)).rejects.toMatchObject({
      code: "SOURCE_REFUSED",
      hint: expect.stringContaining("GRANT SELECT"),
    });
  });

  it("needs no right to ask which cluster it is, and takes a table that was made anew for another", async () => {
    const database = await server.createDatabase();
    await database.query(`REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC;
      CREATE TABLE t (id int PRIMARY KEY); GRANT SELECT ON t TO reader`);
    const url = database.urlFor({ user: "reader", password: "reader" });
    const { identity } = await look(open(url));
    expect((await look(open(url))).identity).toBe(identity);
    await database.query("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY); GRANT SELECT ON t TO reader");
    expect((await look(open(url))).identity).not.toBe(identity);
    const [system] = await database.query<{ id: string }>(
      "SELECT system_identifier::text AS id FROM pg_control_system()",
    );
    expect((await look(open(database.url))).identity).toMatch(new RegExp(`^${system?.id}:\\d+:\\d+$`));
  });

  it("cannot reach a server that is down, and goes on by itself when it is back", async () => {
    const source = open(server.url);
    await look(source);
    await server.stop("immediate");
    await expect(look(source)).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
    await server.start();
    expect((await look(source)).name).toBe("t");
  });

  it("fails a read when the server restarts in the middle of it", async () => {
    const source = open(server.url);
    let restarted: Promise<void> | undefined;
    const reading = drain(source, () => {
      restarted ??= server.restart();
      return restarted;
    });
    await expect(reading).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
    expect(await drain(source, () => {})).toBe(100_000);
  });

  it("fails a read when the network is cut in the middle of a batch", async () => {
    const proxy = await startTcpProxy(server.port);
    const source = open(server.urlFor({ port: proxy.port }));
    await look(source);
    proxy.resetAfter(3_000_000);
    await expect(drain(source, () => {})).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
    await proxy.pass();
    expect(await drain(source, () => {})).toBe(100_000);
  });

  it("ends at once when it is aborted while the server says nothing, and closes", async () => {
    const proxy = await startTcpProxy(server.port);
    const source = open(server.urlFor({ port: proxy.port }));
    const table = await look(source);
    proxy.blackHole();
    const abort = new AbortController();
    const digest = source.digest(table, { lower: null, upper: null }, abort.signal);
    abort.abort(new Error("enough"));
    await expect(digest).rejects.toBe(abort.signal.reason);
    await source.close();
  });

  it("gives up connecting at once when it is aborted or closed, and keeps no trace of it in the signals", async () => {
    const any = vi.spyOn(AbortSignal, "any");
    atEnd(() => any.mockRestore());
    const proxy = await startTcpProxy(server.port);
    proxy.blackHole();
    const source = open(server.urlFor({ port: proxy.port }));
    const abort = new AbortController();
    const describing = source.describe("t", { numeric: "real", signal: abort.signal });
    await waitFor(() => proxy.connections.open === 1);
    abort.abort(new Error("enough"));
    await expect(describing).rejects.toBe(abort.signal.reason);
    await waitFor(() => proxy.connections.open === 0);
    const patient = new AbortController();
    const again = source.describe("t", { numeric: "real", signal: patient.signal });
    await waitFor(() => proxy.connections.open === 1);
    const failed = expect(again).rejects.toMatchObject({ code: "STOPPED" });
    await source.close();
    await failed;
    await waitFor(() => proxy.connections.open === 0);
    for (const one of [abort.signal, patient.signal]) expect(getEventListeners(one, "abort")).toEqual([]);
    expect(any).not.toHaveBeenCalled();
  });

  it("cancels at the server what was aborted", async () => {
    const source = open(server.url);
    await server.query("CREATE VIEW slow AS SELECT i, pg_sleep(0.01) IS NULL AS s FROM generate_series(1, 100000) i");
    const table = await look(source, "slow");
    const running = async () =>
      (
        await server.query(
          "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%bit(64)%' AND state = 'active' AND pid <> pg_backend_pid()",
        )
      ).length;
    const abort = new AbortController();
    const digest = source.digest(table, { lower: null, upper: null }, abort.signal);
    await waitFor(async () => (await running()) === 1);
    abort.abort(new Error("enough"));
    await expect(digest).rejects.toBe(abort.signal.reason);
    await waitFor(async () => (await running()) === 0);
  });

  it("cannot write", async () => {
    await server.query(`CREATE FUNCTION sneaky() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (-1, NULL) RETURNING id';
      CREATE VIEW writing AS SELECT sneaky() AS id`);
    const source = open(server.url);
    const table = await look(source, "writing");
    await expect(source.digest(table, { lower: null, upper: null }, signal)).rejects.toMatchObject({
      code: "SOURCE_FAILED",
      message: expect.stringContaining("read-only"),
    });
  });

  it("needs at most 4 connections, and none after it was closed", async () => {
    const source = createPostgresSource(server.url);
    const table = await look(source);
    const work = Array.from({ length: 12 }, () => source.digest(table, { lower: null, upper: [100n] }, signal));
    const reads = Array.from({ length: 6 }, () => drain(source, () => {}));
    const ours =
      "SELECT 1 FROM pg_stat_activity WHERE application_name = 'starfish-replica' AND datname = current_database()";
    await waitFor(async () => (await server.query(ours)).length > 0);
    expect((await server.query(ours)).length).toBeLessThanOrEqual(4);
    expect((await Promise.all(work)).every((digest) => digest.rows === 100)).toBe(true);
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 6 }, () => 100_000));
    await source.close();
    await waitFor(async () => (await server.query(ours)).length === 0);
  });

  it("keeps memory bounded when rows are very wide", async () => {
    await server.query(`CREATE TABLE wide (id int PRIMARY KEY, v text);
      INSERT INTO wide SELECT i, repeat('y', 1000000) FROM generate_series(1, 200) i`);
    const source = open(server.url);
    const table = await look(source, "wide");
    let rows = 0;
    for await (const batch of source.read({ table, keyset: ["id"], batchSize: 5_000, signal })) {
      rows += batch.rows.length;
      expect(batch.bytes).toBeLessThan(20_000_000);
    }
    expect(rows).toBe(200);
  });
});
