// Keeps the tables that it is told in a SQLite file, until Ctrl-C.
//
//   npm install starfish-replica better-sqlite3 pg
//   DATABASE_URL=postgres://user:password@host/database node tables.mjs users sales.orders
//
// DATABASE_URL is all it needs. COPY is the path of the SQLite file, ./copy.db by default.
import { createTableReplication } from "starfish-replica/tables";

const source = process.env.DATABASE_URL;
const names = process.argv.slice(2);
if (!source || names.length === 0) {
  console.error("Usage: DATABASE_URL=postgres://user:password@host/database node tables.mjs <table> ...");
  process.exit(2);
}

const tables = createTableReplication({
  database: process.env.COPY ?? "copy.db",
  source,
  // What a table can be asked for beside its name, `deletes: "reconcile"` first of all: docs/tables.md.
  tables: names,
  syncIntervalSeconds: 10,
  onProgress: ({ targetTable, phase, rowsDone, rowsEstimated }) =>
    console.log(`${targetTable}: ${phase}, ${rowsDone} of about ${rowsEstimated ?? "?"} rows`),
  onError: (name, { code, message, hint }) => console.error(`${name}: ${code}: ${message}. ${hint ?? ""}`),
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    tables.stop().then(() => console.log("stopped"), fail);
  });
}

try {
  await tables.start();
  for (const { id, sourceTable, targetTable, mode, cursorColumn } of await tables.tasks()) {
    console.log(
      `${sourceTable} -> ${targetTable}: ${mode ?? "not known before the source answers"}${cursorColumn ? ` by ${cursorColumn}` : ""}`,
    );
    // Resolves once the copy has what the source has now.
    await tables.runTask(id);
    const name = `"${targetTable.replaceAll('"', '""')}"`;
    const { rows: counts } = await tables.query(`SELECT count(*) FROM ${name}`);
    const { columns, rows } = await tables.query(`SELECT * FROM ${name} LIMIT ?`, [3]);
    console.log(`${targetTable}: ${counts[0][0]} rows, for instance`);
    console.log([columns, ...rows].map((row) => `  ${row.join(" | ")}`).join("\n"));
  }
  console.log("following; Ctrl-C ends it");
} catch (error) {
  fail(error);
}

function fail(error) {
  if (error.code === "STOPPED") return;
  console.error(`${error.code ?? error.name}: ${error.message}${error.hint ? `\n${error.hint}` : ""}`);
  process.exitCode = 1;
  tables.stop().catch(() => {});
}
