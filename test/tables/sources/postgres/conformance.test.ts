import { beforeAll } from "vitest";
import { createPostgresSource } from "../../../../src/tables/sources/postgres/create-postgres-source.js";
import { atEnd } from "../../../support/at-end.js";
import { startPostgres, type TestPostgres } from "../../../support/postgres.js";
import { registerTableSourceTests } from "../table-source-conformance.js";

let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
});

registerTableSourceTests("PostgreSQL", async () => {
  const database = await server.createDatabase();
  const source = createPostgresSource(database.url);
  atEnd(() => source.close());
  return {
    source,
    run: async (sql) => {
      await database.query(sql);
    },
    blobType: "bytea",
    blob: (hex) => `'\\x${hex}'::bytea`,
  };
});
