/** What tells this database from others. Asked for apart, as a provider may forbid it. */
export const SYSTEM_IDENTIFIER = `
SELECT CASE WHEN has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
  THEN (SELECT system_identifier::text FROM pg_control_system()) ELSE '' END || ':' ||
  (SELECT oid FROM pg_database WHERE datname = current_database()) AS id`;
