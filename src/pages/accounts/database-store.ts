import type Database from "better-sqlite3";
import { ReplicaError } from "../../errors.js";
import type { DatabaseRecord } from "./accounts.js";
import { randomId } from "./random-id.js";

interface DatabaseRow {
  readonly id: string;
  readonly org_id: string;
  readonly name: string;
  readonly created_at: number;
}

/** The databases of all organisations, as far as accounts go: what is in them is elsewhere. Every method is one transaction. */
export class DatabaseStore {
  readonly #database: Database.Database;
  readonly #maxDatabases: number;
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(database: Database.Database, maxDatabases: number, now: () => number) {
    this.#database = database;
    this.#maxDatabases = maxDatabases;
    this.#now = now;
  }

  /**
   * @param name as `parseDatabaseName` gives it
   * @throws `NAME_TAKEN`, `QUOTA_EXCEEDED`, and `INVALID_ACCOUNT` where there is no such organisation
   */
  add(orgId: string, name: string): DatabaseRecord {
    const record: DatabaseRecord = { id: randomId(), orgId, name, createdAt: Math.floor(this.#now() / 1_000) };
    return this.#database
      .transaction(() => {
        if (this.#value("SELECT 1 FROM organisations WHERE id = ?", orgId) === undefined) throw noOrganisation();
        if (this.#value("SELECT 1 FROM databases WHERE org_id = ? AND name = ?", orgId, name) !== undefined)
          throw nameTaken();
        const count = this.#value("SELECT count(*) FROM databases WHERE org_id = ?", orgId) as number;
        if (count >= this.#maxDatabases) throw tooMany(this.#maxDatabases);
        this.#database
          .prepare("INSERT INTO databases (id, org_id, name, created_at) VALUES (?, ?, ?, ?)")
          .run(record.id, orgId, name, record.createdAt);
        return record;
      })
      .immediate();
  }

  /** By name. */
  list(orgId: string): readonly DatabaseRecord[] {
    const rows = this.#database.prepare("SELECT * FROM databases WHERE org_id = ? ORDER BY name").all(orgId);
    return (rows as DatabaseRow[]).map(toRecord);
  }

  /** @throws `UNKNOWN_DATABASE`, also where it is somebody else's */
  get(orgId: string, id: string): DatabaseRecord {
    const row = this.#database.prepare("SELECT * FROM databases WHERE id = ? AND org_id = ?").get(id, orgId);
    if (row === undefined) throw unknownDatabase();
    return toRecord(row as DatabaseRow);
  }

  /** @throws as `get` */
  remove(orgId: string, id: string): void {
    const { changes } = this.#database.prepare("DELETE FROM databases WHERE id = ? AND org_id = ?").run(id, orgId);
    if (changes === 0) throw unknownDatabase();
  }

  ids(): readonly string[] {
    return this.#database.prepare("SELECT id FROM databases ORDER BY id").pluck().all() as string[];
  }

  #value(sql: string, ...values: readonly string[]): unknown {
    return this.#database
      .prepare(sql)
      .pluck()
      .get(...values);
  }
}

function toRecord({ id, org_id: orgId, name, created_at: createdAt }: DatabaseRow): DatabaseRecord {
  return { id, orgId, name, createdAt };
}

function unknownDatabase(): ReplicaError {
  return new ReplicaError("UNKNOWN_DATABASE", "Your organisation has no database with this id", {
    hint: "`starfish-replica db list` shows those that there are.",
  });
}

function nameTaken(): ReplicaError {
  return new ReplicaError("NAME_TAKEN", "Your organisation has a database with this name already", {
    hint: "Give another name, or delete the other database first.",
  });
}

function noOrganisation(): ReplicaError {
  return new ReplicaError("INVALID_ACCOUNT", "The organisation that is to own the database does not exist", {
    hint: "Log in again.",
  });
}

function tooMany(max: number): ReplicaError {
  return new ReplicaError("QUOTA_EXCEEDED", `Your organisation has ${max} databases, and may not have more`, {
    hint: "Delete one that is not used any more, or ask whoever runs the server for more.",
  });
}
