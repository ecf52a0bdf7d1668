import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTableReplication } from "../../tables/create-table-replication.js";
import type { TableReplication } from "../../tables/table-replication.js";
import { type Bakery, openBakery } from "./bakery.js";
import { makeDemoFolder } from "./demo-folder.js";
import { DemoPostgres } from "./demo-postgres.js";
import { isOpenToAll, postgresOwner } from "./postgres-owner.js";

/** A PostgreSQL with tables that somebody writes to, and the copy of them. */
export interface World {
  readonly postgres: DemoPostgres;
  readonly bakery: Bakery;
  readonly tables: TableReplication;
  /** Path of the local SQLite file. */
  readonly database: string;
  /** Ends everything and removes every file. */
  stop(): Promise<void>;
}

/** Starts all of it. The first copies may still be under way. @param onError told of failed runs */
export async function startWorld(onError: (name: string, error: Error) => void = () => {}): Promise<World> {
  // PostgreSQL's user must be able to reach its files.
  const parent = postgresOwner() === undefined || isOpenToAll(tmpdir()) ? tmpdir() : "/tmp";
  const folder = await makeDemoFolder(parent);
  const running: (() => Promise<unknown>)[] = [() => folder.remove()];
  const stop = async (): Promise<void> => {
    for (const end of running.splice(0).reverse()) await end();
  };
  try {
    const postgres = await DemoPostgres.start(folder);
    running.push(() => postgres.stop());
    const bakery = await openBakery(postgres.url, postgres.firstUrl);
    running.push(() => bakery.close());
    const database = join(folder.path, "copy.db");
    const tables = createTableReplication({
      database,
      source: postgres.url,
      syncIntervalSeconds: 1,
      // How each is copied is found out: by `updated_at`, by an increasing id, as a whole.
      tables: ["visits", "prices"],
      tasks: [{ sourceTable: "orders", deletes: "reconcile" }],
      backOff: { baseMs: 250, capMs: 1_000 },
      onError,
    });
    running.push(() => tables.stop());
    await tables.start();
    return { postgres, bakery, tables, database, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
