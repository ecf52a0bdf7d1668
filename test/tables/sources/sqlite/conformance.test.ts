import { join } from "node:path";
import Database from "better-sqlite3";
import { createSqliteSource } from "../../../../src/tables/sources/sqlite/create-sqlite-source.js";
import { atEnd } from "../../../support/at-end.js";
import { tempDir } from "../../../support/temp-dir.js";
import { registerTableSourceTests } from "../table-source-conformance.js";

registerTableSourceTests("SQLite", async () => {
  const path = join(tempDir(), "source.db");
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  atEnd(() => database.close());
  const source = createSqliteSource(path);
  atEnd(() => source.close());
  return {
    source,
    run: async (sql) => void database.exec(sql),
    blobType: "BLOB",
    blob: (hex) => `x'${hex}'`,
  };
});
