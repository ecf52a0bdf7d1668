import type pg from "pg";
import type { TestDatabase } from "../../support/postgres.js";
import type { Alteration, BusySource, Clock, SourceStep } from "./busy-source.js";

interface Writer {
  readonly client: pg.Client;
  open: boolean;
}

const CLOCKS: Readonly<Record<Clock, string>> = {
  statement: "clock_timestamp()",
  transaction: "now()",
  back: "now() - interval '1 hour' * (1 + random())",
  null: "NULL",
};
/** What a table in use says to those who are not needed: locked, gone, not so (any more). */
const NO_MATTER = /^(55P03|42P01|42701|42703|22P02|22003|23505|42P16|25P02|42704|42804|22001|40P01)$/;

/** A table at the source and those who write to it, some of them slowly. */
export class BusyTable implements BusySource {
  readonly name: string;
  readonly keyed: boolean;
  readonly #database: TestDatabase;
  readonly #writers: Writer[] = [];
  #turn = 0;
  #settled = false;

  private constructor(database: TestDatabase, name: string, keyed: boolean) {
    this.#database = database;
    this.name = name;
    this.keyed = keyed;
  }

  /** @param clients as many as there are writers; the last never begins a transaction. */
  static async create(
    database: TestDatabase,
    name: string,
    { keyed, clients }: { readonly keyed: boolean; readonly clients: readonly pg.Client[] },
  ): Promise<BusyTable> {
    const table = new BusyTable(database, name, keyed);
    table.#writers.push(...clients.map((client) => ({ client, open: false })));
    await database.query(table.#ddl);
    return table;
  }

  get #ddl(): string {
    return `CREATE TABLE ${this.name} (id bigserial${this.keyed ? " PRIMARY KEY" : ""}, part int NOT NULL DEFAULT 1,
      body text, amount int, code varchar(8), updated_at timestamptz)`;
  }

  get #backToNumbers(): string {
    return `DO $$ BEGIN IF (SELECT data_type = 'text' FROM information_schema.columns WHERE table_name = '${this.name}' AND column_name = 'amount')
      THEN ALTER TABLE ${this.name} ALTER amount TYPE int USING 5; END IF; END $$`;
  }

  /** Nobody writes any more. */
  get quiet(): boolean {
    return this.#settled;
  }

  async take(step: SourceStep): Promise<void> {
    this.#turn += 1;
    if (step.kind === "alter") return await this.#run(this.#last, this.#alterSql(step.what, step.column));
    if (step.kind === "truncate") return await this.#run(this.#last, `TRUNCATE ${this.name}`);
    const writer = this.#writers[step.by % this.#writers.length] ?? this.#last;
    if (step.kind === "begin") return await this.#begin(writer, step.look);
    if (step.kind === "end") return await this.#end(writer, step.commit);
    await this.#run(writer, this.#writeSql(step, writer));
  }

  /** Commits what is open. */
  async settle(): Promise<void> {
    for (const writer of this.#writers) await this.#end(writer, true);
    this.#settled = true;
  }

  async drop(): Promise<void> {
    for (const writer of this.#writers) await this.#end(writer, false);
    await this.#database.query(`DROP TABLE IF EXISTS ${this.name}`);
  }

  /** The columns, and every row as the texts that the copy should give. */
  async read(): Promise<{ columns: string[]; rows: string[] }> {
    const found = await this.#database.query<{ name: string; type: string }>(
      "SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_name = $1 ORDER BY 1",
      [this.name],
    );
    const values = found.map(({ name, type }) => {
      if (type === "boolean") return `${name}::int::text`;
      if (!type.startsWith("timestamp")) return `${name}::text`;
      return `to_char(${name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
    });
    const rows = await this.#database.query<{ row: unknown }>(
      `SELECT json_build_array(${values.join(", ")}) AS row FROM ${this.name}`,
    );
    return { columns: found.map(({ name }) => name), rows: rows.map(({ row }) => JSON.stringify(row)).sort() };
  }

  get #last(): Writer {
    return this.#writers.at(-1) as Writer;
  }

  async #begin(writer: Writer, look: boolean): Promise<void> {
    if (writer.open || writer === this.#last) return;
    writer.open = true;
    await writer.client.query(look ? "BEGIN; SELECT now()" : "BEGIN");
  }

  async #end(writer: Writer, commit: boolean): Promise<void> {
    if (!writer.open) return;
    writer.open = false;
    await writer.client.query(commit ? "COMMIT" : "ROLLBACK");
  }

  async #run(writer: Writer, sql: string): Promise<void> {
    try {
      await writer.client.query(sql);
    } catch (error) {
      if (!NO_MATTER.test((error as { code?: string }).code ?? "")) throw error;
      if (writer.open) await this.#end(writer, false);
    }
  }

  #writeSql(step: Exclude<SourceStep, { kind: "alter" | "truncate" | "begin" | "end" }>, { open }: Writer): string {
    const { name } = this;
    const mark = `'${this.#turn}'`;
    if (step.kind === "insert") {
      const row = `${mark} || '.' || i, i, 'c' || i, ${CLOCKS[step.clock]}`;
      return `INSERT INTO ${name} (body, amount, code, updated_at) SELECT ${row} FROM generate_series(1, ${step.rows}) i`;
    }
    if (step.kind === "savepoint") {
      if (!open) return "SELECT 1";
      const insert = `INSERT INTO ${name} (body, updated_at) VALUES (${mark}, clock_timestamp())`;
      return `SAVEPOINT s; ${insert}; ${step.rollBack ? "ROLLBACK TO s; " : ""}RELEASE s`;
    }
    // Nobody waits for a row that another has locked.
    const some = `ctid = ANY(ARRAY(SELECT ctid FROM ${name} WHERE id % ${step.every + 1} = 0 FOR UPDATE SKIP LOCKED))`;
    if (step.kind === "delete") return `DELETE FROM ${name} WHERE ${some}`;
    if (step.kind === "rekey")
      return `UPDATE ${name} SET id = nextval(pg_get_serial_sequence('${name}', 'id')), updated_at = clock_timestamp() WHERE ${some}`;
    const clock = step.clock === "unchanged" ? "" : `, updated_at = ${CLOCKS[step.clock]}`;
    return `UPDATE ${name} SET body = ${mark}${clock} WHERE ${some}`;
  }

  #alterSql(what: Alteration, column: number): string {
    const { name } = this;
    const added = `x${column % 3}`;
    const type = ["int", "text", "boolean"][column % 3];
    const filled = ["7", "'filled'", "true"][column % 3];
    const sql: Readonly<Record<Alteration, string>> = {
      "add empty": `ALTER TABLE ${name} ADD ${added} ${type}`,
      "add filled": `ALTER TABLE ${name} ADD ${added} ${type} DEFAULT ${filled}`,
      "add and fill": `ALTER TABLE ${name} ADD ${added} ${type}; UPDATE ${name} SET ${added} = ${filled} WHERE id % 2 = 0`,
      drop: `ALTER TABLE ${name} DROP ${added}`,
      "drop and add": `ALTER TABLE ${name} DROP code; ALTER TABLE ${name} ADD code varchar(8) DEFAULT 'again'`,
      rename: `ALTER TABLE ${name} RENAME ${added} TO x${(column + 1) % 3}`,
      widen: `ALTER TABLE ${name} ALTER amount TYPE bigint, ALTER code TYPE varchar(${8 + column})`,
      retype: column % 2 ? `ALTER TABLE ${name} ALTER amount TYPE text` : this.#backToNumbers,
      "new table": `DROP TABLE ${name}; ${this.#ddl}`,
      "new key": this.keyed
        ? `ALTER TABLE ${name} DROP CONSTRAINT ${name}_pkey; ALTER TABLE ${name} ADD PRIMARY KEY (${column % 2 ? "part, id" : "id"})`
        : "SELECT 1",
    };
    return `SET lock_timeout = '30ms'; ${sql[what]}`;
  }
}
