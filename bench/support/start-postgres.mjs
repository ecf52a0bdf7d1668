import pg from "pg";
import { itemsSql } from "./items-table.mjs";

const USER = "postgres";
const PASSWORD = "secret";

/**
 * Starts a PostgreSQL of its own on a free port, its files in a temporary folder, and makes one `items` table per entry of `tables`, which
 * gives its name and its number of rows.
 * @returns its `url` and `version`, and `stop()`, which removes its files
 */
export async function startPostgres(tables) {
  // Built by `prepare`.
  const { PostgresCluster } = await import("../dist/support/postgres-cluster.js");
  const settings = { shared_buffers: "256MB", max_wal_size: "4GB", maintenance_work_mem: "256MB", autovacuum: "off" };
  const cluster = new PostgresCluster({ user: USER, password: PASSWORD, settings });
  try {
    await cluster.start();
    const url = `postgres://${USER}:${PASSWORD}@127.0.0.1:${cluster.port}/postgres`;
    let version = "";
    await onPostgres(url, async (client) => {
      for (const [name, rows] of Object.entries(tables)) {
        // One by one: VACUUM takes no company.
        for (const statement of itemsSql(rows, name)
          .split(";")
          .filter((text) => text.trim() !== "")) {
          await client.query(statement);
        }
      }
      await client.query("CHECKPOINT");
      version = (await client.query("SHOW server_version")).rows[0].server_version;
    });
    return { url, version, stop: () => cluster.destroy() };
  } catch (error) {
    await cluster.destroy();
    throw error;
  }
}

/** Runs `work` with a connection. */
export async function onPostgres(url, work) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
