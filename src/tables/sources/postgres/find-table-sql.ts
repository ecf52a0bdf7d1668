/**
 * $1: the name as given, for tables on the search path. $2, $3: schemas and names that it may also be split into. The best comes first.
 */
export const FIND_TABLE = `
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
  CASE WHEN pg_table_is_visible(c.oid) AND c.relname = $1 THEN 0 ELSE 1 END AS distance,
  has_schema_privilege(n.oid, 'USAGE') AS usable, current_user AS role
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN unnest($2::text[], $3::text[]) WITH ORDINALITY AS split(schema, name, place)
  ON n.nspname = split.schema AND c.relname = split.name
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND ((c.relname = $1 AND pg_table_is_visible(c.oid)) OR split.place IS NOT NULL)
ORDER BY distance, split.place LIMIT 1`;

/** Where else there is a table of that name. */
export const FIND_ELSEWHERE = `
SELECT n.nspname || '.' || c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND lower(c.relname) = lower($1)
ORDER BY 1 LIMIT 3`;
