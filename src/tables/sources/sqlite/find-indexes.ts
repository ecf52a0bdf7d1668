import type { Session } from "./connections.js";

export interface TableIndex {
  /** Names in index order; `null` for an expression. */
  readonly columns: readonly (string | null)[];
  readonly unique: boolean;
  /** It has rows of its own condition only. */
  readonly partial: boolean;
  /** It is the primary key's. */
  readonly key: boolean;
  /** All its columns are in BINARY order, in one direction. */
  readonly plain: boolean;
}

/** The indexes of a table, automatic ones included. */
export function findIndexes(session: Session, table: string): TableIndex[] {
  const list = session.all('SELECT name, "unique", partial, origin FROM pragma_index_list(?)', [table]);
  return list.map(([name, unique, partial, origin]) => {
    const sql = "SELECT name, coll, desc FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno";
    const columns = session.all(sql, [name ?? ""]);
    return {
      columns: columns.map(([column]) => (typeof column === "string" ? column : null)),
      unique: unique === 1n,
      partial: partial === 1n,
      key: origin === "pk",
      plain: columns.every(([, collation, desc]) => collation === "BINARY" && desc === columns[0]?.[2]),
    };
  });
}
