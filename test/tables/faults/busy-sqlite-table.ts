import Database from "better-sqlite3";
import type { Alteration, BusySource, SourceStep } from "./busy-source.js";

/** A table of a SQLite file and two programs that write to it, of which one may keep a transaction open. */
export class BusySqliteTable implements BusySource {
  readonly name = "busy";
  quiet = false;
  readonly #keyed: boolean;
  readonly #writers: readonly Database.Database[];
  #turn = 0;
  /** Names of added columns are never used twice: SQLite does not tell a column that was dropped and added again. */
  #added: string[] = [];

  constructor(file: string, { keyed, wal }: { readonly keyed: boolean; readonly wal: boolean }) {
    this.#keyed = keyed;
    this.#writers = [1, 2].map(() => new Database(file, { timeout: 0 }));
    this.#last.pragma(`journal_mode = ${wal ? "WAL" : "DELETE"}`);
    this.#last.exec(this.#ddl);
  }

  async take(step: SourceStep): Promise<void> {
    this.#turn += 1;
    const writer = this.#writers["by" in step ? step.by % 2 : 1] ?? this.#last;
    if (step.kind === "begin") {
      if (!writer.inTransaction && writer !== this.#last) this.#run(writer, "BEGIN IMMEDIATE");
    } else if (step.kind === "end") this.#end(writer, step.commit);
    else this.#run(writer, this.#sql(step));
  }

  async settle(): Promise<void> {
    for (const writer of this.#writers) this.#end(writer, true);
    for (const writer of this.#writers) this.#end(writer, false);
    this.quiet = true;
  }

  async drop(): Promise<void> {
    for (const writer of this.#writers) writer.close();
  }

  async read(): Promise<{ columns: string[]; rows: string[] }> {
    const names = this.#last.prepare("SELECT name FROM pragma_table_info('busy') ORDER BY 1").pluck().all() as string[];
    const values = names.map((name) => `CAST("${name}" AS TEXT)`).join(", ");
    const rows = this.#last.prepare(`SELECT ${values} FROM busy`).raw().all();
    return { columns: names, rows: rows.map((row) => JSON.stringify(row)).sort() };
  }

  get #ddl(): string {
    return `CREATE TABLE busy (id INTEGER ${this.#keyed ? "PRIMARY KEY AUTOINCREMENT" : "NOT NULL"}, body TEXT, amount INT, updated_at DATETIME)`;
  }

  get #last(): Database.Database {
    return this.#writers[1] as Database.Database;
  }

  #end(writer: Database.Database, commit: boolean): void {
    if (writer.inTransaction) this.#run(writer, commit ? "COMMIT" : "ROLLBACK");
  }

  /** Whoever finds the file locked, or the table altered, does without. */
  #run(writer: Database.Database, sql: string): void {
    try {
      writer.exec(sql);
    } catch (error) {
      if (!/^SQLITE_(BUSY|LOCKED|ERROR|CONSTRAINT)/.test((error as { code?: string }).code ?? "")) throw error;
    }
  }

  #sql(step: Exclude<SourceStep, { kind: "begin" | "end" }>): string {
    const mark = `'${this.#turn}'`;
    if (step.kind === "alter") return this.#alterSql(step.what);
    if (step.kind === "truncate") return "DELETE FROM busy";
    if (step.kind === "savepoint")
      return `SAVEPOINT s; INSERT INTO busy (id, body, updated_at) SELECT ifnull(max(id), 0) + 1, ${mark}, ${NOW} FROM busy;
        ${step.rollBack ? "ROLLBACK TO s; " : ""}RELEASE s`;
    const clock = { statement: NOW, transaction: NOW, back: EARLIER, null: "NULL", unchanged: "updated_at" };
    if (step.kind === "insert") {
      const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${step.rows})`;
      const next = `(SELECT ifnull(max(id), 0) FROM busy) + i`;
      return `INSERT INTO busy (id, body, amount, updated_at) ${numbers} SELECT ${next}, ${mark} || '.' || i, i, ${clock[step.clock]} FROM n`;
    }
    const some = `id % ${step.every + 1} = 0`;
    if (step.kind === "delete") return `DELETE FROM busy WHERE ${some}`;
    if (step.kind === "rekey")
      return `UPDATE busy SET id = id + (SELECT max(id) FROM busy), updated_at = ${NOW} WHERE ${some}`;
    return `UPDATE busy SET body = ${mark}, updated_at = ${clock[step.clock]} WHERE ${some}`;
  }

  #alterSql(what: Alteration): string {
    const name = `y${this.#turn}`;
    const old = this.#added.at(-1) ?? "none";
    if (what === "add empty" || what === "add filled" || what === "add and fill") {
      this.#added.push(name);
      const filled = what === "add filled" ? " DEFAULT 'filled'" : "";
      return `BEGIN; ALTER TABLE busy ADD ${name} TEXT${filled}; ${what === "add and fill" ? `UPDATE busy SET ${name} = 'f' WHERE id % 2; ` : ""}COMMIT`;
    }
    if (what === "drop") {
      this.#added.pop();
      return `ALTER TABLE busy DROP ${old}`;
    }
    if (what === "rename") {
      this.#added = [...this.#added.slice(0, -1), name];
      return `ALTER TABLE busy RENAME ${old} TO ${name}`;
    }
    if (what !== "new table") return "SELECT 1";
    this.#added = [];
    return `BEGIN; DROP TABLE busy; ${this.#ddl}; COMMIT`;
  }
}

const NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now')";
const EARLIER = "strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || (abs(random()) % 9000) || ' seconds')";
