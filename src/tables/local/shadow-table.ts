import { quoteIdentifier } from "../../sqlite/identifier.js";
import { isSqliteError } from "../../sqlite/map-sqlite-error.js";
import type { SourceTable } from "../sources/source-table.js";
import { createTable } from "./create-table.js";
import type { LocalDatabase } from "./local-database.js";
import { LocalTable } from "./local-table.js";
import { SHADOW_PREFIX } from "./target-name.js";

/** An index or trigger of the user's that could not be made again on the new table. */
export interface LostObject {
  readonly kind: "index" | "trigger";
  readonly name: string;
  /** Why, in SQLite's words. */
  readonly reason: string;
}

/** A table that is filled beside the target and takes its place in one step: readers see the old rows or the new ones, never a part. */
export class ShadowTable {
  /** To be filled, in as many transactions as it takes. */
  readonly table: LocalTable;
  readonly target: string;
  readonly #database: LocalDatabase;

  private constructor(database: LocalDatabase, target: string, table: SourceTable) {
    this.#database = database;
    this.target = target;
    const columns = table.columns.map((column) => column.name);
    this.table = new LocalTable(database, SHADOW_PREFIX + target, columns, table.primaryKey);
  }

  /** Makes a new, empty one, in the caller's transaction where there is one. What an earlier attempt left is dropped. */
  static begin(database: LocalDatabase, target: string, table: SourceTable): ShadowTable {
    const shadow = new ShadowTable(database, target, table);
    inTransaction(database, () => {
      shadow.drop();
      createTable(database, shadow.table.name, table);
    });
    return shadow;
  }

  /** Drops what a copy that was cut short, by a killed process for instance, left beside the target; nothing where there is none. */
  static dropLeftover(database: LocalDatabase, target: string): void {
    database.exec(`DROP TABLE IF EXISTS ${quoteIdentifier(SHADOW_PREFIX + target)}`);
  }

  /**
   * Puts the shadow in the target's place, or makes it the target where there is none, and makes the user's indexes and triggers on
   * the old one again. Views keep working. Columns that only the old table had are gone.
   * @returns the indexes and triggers that do not fit the new table: their column is gone, or the rows break a unique index. They are dropped.
   * @throws `TypeError` outside a transaction.
   */
  swap(): readonly LostObject[] {
    const database = this.#database;
    if (!database.inTransaction) throw new TypeError("A shadow table is swapped inside a transaction");
    const target = quoteIdentifier(this.target);
    const objects = database.all<UserObject>(
      `SELECT type AS kind, name, sql FROM sqlite_schema
       WHERE tbl_name = ? COLLATE NOCASE AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type, rowid`,
      this.target,
    );
    // Without it a view that names the target is an error between the two statements.
    database.exec("PRAGMA legacy_alter_table = ON");
    try {
      database.exec(`DROP TABLE IF EXISTS ${target}`);
      database.exec(`ALTER TABLE ${quoteIdentifier(this.table.name)} RENAME TO ${target}`);
    } finally {
      database.exec("PRAGMA legacy_alter_table = OFF");
    }
    return objects.flatMap((object) => this.#makeAgain(object));
  }

  /** Drops it with its rows. */
  drop(): void {
    ShadowTable.dropLeftover(this.#database, this.target);
  }

  #makeAgain({ kind, name, sql }: UserObject): LostObject[] {
    const database = this.#database;
    database.exec("SAVEPOINT make_again");
    try {
      database.exec(sql);
      database.exec("RELEASE make_again");
      return [];
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      // Anything else (a full disk) is no fault of the index: the swap as a whole fails and is tried again.
      if (!isSqliteError(cause) || !/^SQLITE_(ERROR|CONSTRAINT)/.test(cause.code)) throw error;
      database.exec("ROLLBACK TO make_again; RELEASE make_again");
      return [{ kind, name, reason: cause.message }];
    }
  }
}

interface UserObject {
  readonly kind: "index" | "trigger";
  readonly name: string;
  readonly sql: string;
}

function inTransaction(database: LocalDatabase, work: () => void): void {
  if (database.inTransaction) work();
  else database.transaction(work);
}
