/**
 * Columns with the type behind their domains. `increasing`: from a sequence that gives ever larger numbers. One with `CACHE` does not, as each
 * session draws from numbers that it took long before; and larger steps are for programs that fill the gaps later (hi/lo) or for other servers
 * that do. The identity of a partition is that of the table above it.
 */
export const COLUMNS = `
WITH RECURSIVE base AS (
  SELECT DISTINCT a.atttypid AS declared, a.atttypid AS oid FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT base.declared, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typtype = 'd'
)
SELECT a.attnum AS number, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS source_type, a.attnotnull AS not_null,
  t.typname AS type_name, tn.nspname AS type_schema, t.typtype AS type_kind, t.typcategory = 'A' AS type_array,
  CASE WHEN a.attidentity <> '' THEN EXISTS (
    SELECT FROM (SELECT $1::oid AS oid UNION SELECT relid FROM pg_partition_ancestors($1::oid::regclass)) above
    JOIN pg_attribute o ON o.attrelid = above.oid AND o.attname = a.attname
    JOIN pg_depend own ON own.refclassid = 'pg_class'::regclass AND own.refobjid = o.attrelid AND own.refobjsubid = o.attnum
      AND own.classid = 'pg_class'::regclass AND own.deptype = 'i'
    JOIN pg_sequence s ON s.seqrelid = own.objid WHERE s.seqcache = 1 AND s.seqincrement = 1 AND NOT s.seqcycle)
  WHEN pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%' THEN EXISTS (
    SELECT FROM pg_depend own JOIN pg_sequence s ON s.seqrelid = own.refobjid
    WHERE own.classid = 'pg_attrdef'::regclass AND own.objid = d.oid AND own.refclassid = 'pg_class'::regclass
      AND s.seqcache = 1 AND s.seqincrement = 1 AND NOT s.seqcycle)
  ELSE false END AS increasing,
  has_column_privilege($1::oid, a.attnum, 'SELECT') AS readable,
  CASE WHEN a.attcollation = 0 THEN NULL
    WHEN co.collname = 'default' THEN (SELECT CASE WHEN to_jsonb(db) ->> 'datlocprovider' = 'i' THEN 'icu'
      ELSE coalesce(to_jsonb(db) ->> 'datlocale', db.datcollate) END FROM pg_database db WHERE db.datname = current_database())
    WHEN co.collprovider = 'i' THEN 'icu'
    ELSE coalesce(to_jsonb(co) ->> 'colllocale', co.collcollate) END AS collation,
  coalesce((to_jsonb(co) ->> 'collisdeterministic')::boolean, true) AS deterministic
FROM pg_attribute a
JOIN base ON base.declared = a.atttypid
JOIN pg_type t ON t.oid = base.oid AND t.typtype <> 'd'
JOIN pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation co ON co.oid = a.attcollation
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`;

/**
 * Indexes that hold every row. `ordered`: a B-tree that gives its first column in that column's own order, NULL last, forwards or backwards.
 */
export const INDEXES = `
SELECT i.indisprimary AS is_primary, i.indisunique AS is_unique, i.indkey::text AS numbers,
  i.indnkeyatts AS key_columns,
  am.amname = 'btree' AND i.indoption[0] IN (0, 3) AND op.opcdefault AND i.indcollation[0] = a.attcollation AS ordered
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am am ON am.oid = c.relam
JOIN pg_opclass op ON op.oid = i.indclass[0]
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indpred IS NULL`;

/** Estimated rows of the table, its partitions and its children. */
export const ESTIMATE = `
WITH RECURSIVE tree AS (
  SELECT $1::oid AS oid
  UNION ALL
  SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = tree.oid
)
SELECT CASE WHEN bool_or(c.reltuples < 0 OR (c.reltuples = 0 AND c.relpages = 0)) THEN NULL ELSE sum(c.reltuples)::bigint END AS rows
FROM tree JOIN pg_class c ON c.oid = tree.oid WHERE c.relkind IN ('r', 'm', 'f')`;
