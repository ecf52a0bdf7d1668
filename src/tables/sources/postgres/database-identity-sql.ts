/** The database's number among those of its cluster, and whether the role may ask which cluster that is: providers forbid it. */
export const DATABASE = `
SELECT oid::text AS oid, has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS may_ask
FROM pg_catalog.pg_database WHERE datname = current_database()`;

/** What tells this cluster from others. A statement of its own: the right is checked when it starts, whatever part of it runs. */
export const SYSTEM_IDENTIFIER = "SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()";
