import { loadDriver } from "../../drivers/load-driver.js";

/** Statements against the demo's source, as its application would send them. */
export interface Bakery {
  /** Rows of the last statement. */
  query<Row extends object = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** Begins a transaction that writes one visit, which takes its number now, and gives what commits it. */
  lateVisit(): Promise<{ readonly id: number; commit(): Promise<void> }>;
  close(): Promise<void>;
}

// One table for each way of copying.
const SCHEMA = `
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer text NOT NULL,
  total numeric(10,2) NOT NULL,
  state text NOT NULL DEFAULT 'open',
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON orders (updated_at, id);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();

CREATE TABLE visits (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  page text NOT NULL,
  detail jsonb
);
CREATE TABLE prices (bread text NOT NULL, price numeric(6,2) NOT NULL);

INSERT INTO orders (customer, total, updated_at)
  SELECT 'customer ' || n % 97, (n % 5000) / 100.0, now() - make_interval(secs => 2000 - n) FROM generate_series(1, 2000) AS n;
INSERT INTO visits (page, detail)
  SELECT '/page/' || n % 41, jsonb_build_object('ms', n % 300) FROM generate_series(1, 5000) AS n;
INSERT INTO prices VALUES ('rye', 4.20), ('spelt', 4.80), ('baguette', 1.90), ('roll', 0.60);
ANALYZE;
`;

/** Makes the database `shop` with three tables and rows in them. @param firstUrl of a database that is there */
export async function openBakery(url: string, firstUrl: string): Promise<Bakery> {
  const pg = await loadDriver("pg");
  const first = new pg.Client({ connectionString: firstUrl });
  await first.connect();
  await first.query("CREATE DATABASE shop").finally(() => first.end());
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  // The server may be stopped under an idle connection.
  pool.on("error", () => {});
  await pool.query(SCHEMA);
  const open = new Set<() => void>();
  return {
    async query<Row extends object>(sql: string, params: readonly unknown[] = []): Promise<Row[]> {
      return (await pool.query<Row>(sql, [...params])).rows;
    },
    async lateVisit() {
      const client = await pool.connect();
      const ignore = (): void => {};
      client.on("error", ignore);
      const giveUp = (): void => give(true);
      const give = (broken: boolean): void => {
        if (!open.delete(giveUp)) return;
        client.off("error", ignore);
        client.release(broken);
      };
      open.add(giveUp);
      const run = async <T>(work: Promise<T>): Promise<T> => {
        try {
          return await work;
        } catch (error) {
          giveUp();
          throw error;
        }
      };
      const insert = "INSERT INTO visits (page) VALUES ('/late') RETURNING id";
      await run(client.query("BEGIN"));
      const { rows } = await run(client.query<{ id: string }>(insert));
      return {
        id: Number(rows[0]?.id),
        async commit() {
          await run(client.query("COMMIT"));
          give(false);
        },
      };
    },
    async close() {
      // The pool would wait for those that nobody commits any more.
      for (const giveUp of open) giveUp();
      await pool.end();
    },
  };
}
