import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sourceUrlMistake } from "../../../../src/tables/source-url-mistake.js";
import { createPostgresSource } from "../../../../src/tables/sources/postgres/create-postgres-source.js";
import type { TableSource } from "../../../../src/tables/sources/table-source.js";
import { atEnd } from "../../../support/at-end.js";
import { startPostgres } from "../../../support/postgres.js";

const { signal } = new AbortController();
const open = (url: string): TableSource => {
  const source = createPostgresSource(url);
  atEnd(() => source.close());
  return source;
};
const look = (url: string) => open(url).describe("t", { numeric: "real", signal });

describe("the URL of a PostgreSQL source", () => {
  it.each([
    ["postgres://u:pw@h/db", true],
    ["postgresql://u:p%40w%2F@h:5433/db?sslmode=disable", true],
    ["postgres://u:pw@[::1]:5433/db", true],
    ["postgresql:///db", true],
    ["postgres:///db?host=/var/run/postgresql&user=u", true],
    ["postgres://u:pw@/db?host=/var/run/postgresql", true],
    ["postgres://u:p%40%2Fw@/db?host=/var/run/postgresql&port=5433", true],
    ["postgres://u@/?host=/var/run/postgresql", true],
    ["postgres://u:pw@/db", true],
    ["postgres://u:pw@%2Fvar%2Frun%2Fpostgresql:5433/db", true],
    ["postgres://u:pw@:5433/db?host=/var/run/postgresql", false],
    ["postgres://u:pw@?host=/var/run/postgresql", false],
    ["postgres://u:pw@/rest-of-password@h/db", false],
    ["postgres://u:p/w@/db?host=/var/run/postgresql", false],
    ["postgres://u:p?w@/db?host=/var/run/postgresql", false],
    ["postgres://u:pw%2@h/db", false],
    ["postgres://u:pw@%zz/db", false],
    ["postgres://u:pw@h:99999999/db", false],
    ["postgres://u:p w@[bad/db", false],
    ["POSTGRES://u:pw@h/db", false],
    ["mysql://u:pw@h/db", false],
    ["u:pw@/db", false],
  ])("%s is understood by the options and by the source alike: %s", (url, understood) => {
    const attempt = () => open(url);
    if (understood) expect(attempt).not.toThrow();
    else expect(attempt).toThrow(expect.objectContaining({ code: "INVALID_CONFIGURATION" }));
    expect(sourceUrlMistake(url, "replica.db") === null).toBe(understood);
  });

  it.each([
    ["postgres://u:s3cret@/db?host=/nowhere/at-all&port=5433", "PostgreSQL at /nowhere/at-all:5433/db"],
    ["postgres://u:s3cret@%2Fnowhere%2Fat-all:5433/db", "PostgreSQL at /nowhere/at-all:5433/db"],
    ["postgres://u:s3cret@localhost/db?host=/nowhere/at-all", "PostgreSQL at /nowhere/at-all:5432/db"],
  ])("%s names the socket in errors, and no password", async (url, where) => {
    const error = (await look(url).catch((caught: unknown) => caught)) as Error;
    expect(error).toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
    expect(error.message).toContain(where);
    expect(error.message).not.toContain("s3cret");
  });

  it.skipIf(process.platform === "win32")("leads through a socket of this machine", async () => {
    // Not the usual temp folder: the path of a socket may have about 100 characters. The server is another user where we are root.
    const folder = mkdtempSync("/tmp/pg-");
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o777);
    const server = await startPostgres({ settings: { unix_socket_directories: folder } });
    await server.query(
      `CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE reader LOGIN PASSWORD 'a/b@c'; GRANT SELECT ON t TO reader`,
    );
    const password = encodeURIComponent("a/b@c");
    for (const url of [
      `postgres://reader:${password}@/postgres?host=${folder}&port=${server.port}`,
      `postgres:///postgres?host=${folder}&port=${server.port}&user=reader&password=${password}`,
      `postgres://reader:${password}@${encodeURIComponent(folder)}:${server.port}/postgres`,
    ]) {
      expect(await look(url)).toMatchObject({ name: "t", primaryKey: ["id"] });
    }
    const peers = await server.query("SELECT client_addr FROM pg_stat_activity WHERE usename = 'reader'");
    expect(peers).toEqual([{ client_addr: null }, { client_addr: null }, { client_addr: null }]);
  });
});
