/** The table that the scenarios about tables copy, in PostgreSQL: eight columns of the usual types, about 130 bytes a row as CSV. */
const COLUMNS = `
  id bigint PRIMARY KEY,
  title text NOT NULL,
  sku varchar(20) NOT NULL,
  price numeric(12,2) NOT NULL,
  active boolean NOT NULL,
  weight double precision NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL`;

/** What a copy of it is made of in SQLite. */
export const LOCAL_ITEMS = `CREATE TABLE items (id INTEGER NOT NULL PRIMARY KEY, title TEXT, sku TEXT, price REAL, active INTEGER,
  weight REAL, created_at TEXT, updated_at TEXT)`;

/**
 * SQL that makes it with `rows` rows, written in the order of `id`. Every fifth was changed at some later time, the last of all an hour ago
 * at the latest, so that the order of `updated_at` is not quite that of `id`.
 */
export function itemsSql(rows, name = "items") {
  return `CREATE UNLOGGED TABLE ${name} (${COLUMNS}) WITH (autovacuum_enabled = off);
    INSERT INTO ${name}
      SELECT id, 'Item ' || id || ': ' || md5(id::text), 'SKU-' || lpad(to_hex(id * 2654435761 % 4294967296), 8, '0'),
        (id * 7919 % 1000000)::numeric / 100, id % 3 = 0, sqrt(id), created_at,
        CASE WHEN id % 5 = 0 THEN created_at + (now() - interval '1 hour' - created_at) * (id * 7919 % 1000) / 1000.0 ELSE created_at END
      FROM (
        SELECT id, now() - interval '1 hour' - (${rows} - id) * interval '1.000321 seconds' AS created_at FROM generate_series(1::bigint, ${rows}) AS id
      ) AS made;
    CREATE INDEX ON ${name} (updated_at, id);
    VACUUM (ANALYZE) ${name};`;
}
