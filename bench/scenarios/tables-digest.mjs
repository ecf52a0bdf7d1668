import { onPostgres } from "../support/start-postgres.mjs";
import { copyTable, openTables } from "../support/table-copy.mjs";
import { countWire } from "../support/wire-counter.mjs";

const MB = 1_000_000;

export const scenario = {
  title: "Tables: proof that 1,000,000 rows are equal",
  how: "`verify` of a copy that is equal: both sides digest every range of keys at the same time, and nothing is read. The time of PostgreSQL is what it spent on statements (`pg_stat_database.active_time`), ours the processor time of the process; bytes are those of the connection, both directions",
  postgres: { items: 1_000_000 },
  versus: {},
  warmUp: false,
  rounds: 3,
  measures: [
    { key: "seconds", label: "verify", unit: "s", better: "less" },
    { key: "sourceSeconds", label: "PostgreSQL's share", unit: "s", better: "less" },
    { key: "ourSeconds", label: "processor time of our process", unit: "s", better: "less" },
    { key: "wireMB", label: "bytes on the wire", unit: "MB", better: "less" },
    { key: "copyWireMB", label: "for comparison: bytes on the wire of the copy", unit: "MB", better: "less" },
  ],
  async run({ postgres: { url }, file }) {
    const wire = await countWire(url);
    const job = { url: wire.url, file, table: "items" };
    const { tables: copied } = await copyTable(job);
    await copied.stop();
    const copyWireMB = wire.takeBytes() / MB;

    // PostgreSQL adds up what a connection took when that ends.
    const before = await activeMs(url);
    const tables = await openTables(job);
    await tables.start();
    await tables.runTask("items");
    wire.takeBytes();
    const processor = process.cpuUsage();
    const start = performance.now();
    const result = await tables.verify("items");
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(processor);
    const wireMB = wire.takeBytes() / MB;
    await tables.stop();
    wire.close();
    if (!result.equal) throw new Error(`the copy is not equal: ${JSON.stringify(result)}`);
    const sourceSeconds = ((await activeMs(url)) - before) / 1000;
    return { seconds, sourceSeconds, ourSeconds: (user + system) / 1e6, wireMB, copyWireMB };
  },
};

async function activeMs(url) {
  return await onPostgres(url, async (client) => {
    const sql = "SELECT active_time FROM pg_stat_database WHERE datname = current_database()";
    return (await client.query(sql)).rows[0].active_time;
  });
}
