import { APPLICATION_NAME, type Session } from "./session.js";

/**
 * Every transaction holds a lock on its own virtual id from its first statement on, whether it has written yet or not, and everybody may
 * see that; a transaction that only took a number from a sequence, or the time, has nothing else. What is hidden from a role without
 * `pg_read_all_stats` (the kind of backend) is NULL and leaves the transaction in. `ours` tells whether the view works at all here: our own
 * transaction must be in it.
 */
const RUNNING = `
SELECT extract(epoch FROM pg_postmaster_start_time())::text || ':' || l.virtualxid AS name, l.pid = pg_backend_pid() AS ours
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid IS NOT NULL AND (l.pid = pg_backend_pid() OR (
  (a.datid IS NULL OR a.datid = (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND a.backend_type IS DISTINCT FROM 'autovacuum worker' AND a.backend_type IS DISTINCT FROM 'walsender'
  AND a.backend_type IS DISTINCT FROM 'parallel worker'
  AND NOT (a.pid IS NOT NULL AND a.usesysid IS NULL)
  AND NOT (coalesce(a.application_name, '') = '${APPLICATION_NAME}'
    AND a.usesysid = (SELECT oid FROM pg_roles WHERE rolname = current_user))))`;

const PREPARED = `SELECT 'prepared:' || transaction || ':' || gid AS name FROM pg_prepared_xacts WHERE database = current_database()`;

/** Transactions that have written, in all databases: the next best where locks are not to be seen, and all that a standby knows. */
const WRITING = `SELECT 'xid:' || x AS name FROM txid_snapshot_xip(txid_current_snapshot()) x`;

/** Names of all transactions but ours that may still write in this database. To be asked in a transaction of its own each time. */
export async function openTransactions(session: Session): Promise<string[]> {
  const running = await session.query(RUNNING);
  const names: string[] = [];
  if (session.info.standby || !running.some((row) => row.ours === "t")) {
    names.push(...namesOf(await session.query(WRITING)));
  }
  names.push(...namesOf(running.filter((row) => row.ours !== "t")));
  // Last: one that is prepared in the meantime is seen twice rather than never.
  names.push(...namesOf(await session.query(PREPARED)));
  return names;
}

/** Which of them are still open. */
export async function stillOpen(session: Session, transactions: readonly string[]): Promise<string[]> {
  const open = new Set(await openTransactions(session));
  // One that was prepared since goes on under another name, and which one nobody can tell.
  const known = new Set(transactions);
  const successor = [...open].some((name) => name.startsWith("prepared:") && !known.has(name));
  return transactions.filter((name) => open.has(name) || (successor && !name.startsWith("prepared:")));
}

function namesOf(rows: readonly Record<string, string | null>[]): string[] {
  return rows.map((row) => row.name ?? "");
}
