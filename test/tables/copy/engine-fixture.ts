import { join } from "node:path";
import Database from "better-sqlite3";
import { createEngine } from "../../../src/tables/copy/create-engine.js";
import type { EngineOptions, TableEngine, UnitOutcome } from "../../../src/tables/copy/table-engine.js";
import type { TableRun, TableTaskDefinition, TaskRecord, VerifyResult } from "../../../src/tables/tasks/table-task.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";

export interface EngineFixture {
  readonly engine: TableEngine;
  readonly file: string;
  /** Adds a task and copies until it has caught up. */
  add(definition: TableTaskDefinition): Promise<TaskRecord>;
  /** One run, to its end. */
  run(task: TaskRecord, reason?: "scheduled" | "requested"): Promise<TableRun>;
  verify(task: TaskRecord, repair?: boolean): Promise<VerifyResult>;
  /** Rows of the local file, as another program sees them. */
  rows<Row = Record<string, unknown>>(sql: string): Row[];
  /** Changes the local file behind our back. */
  change(sql: string): void;
}

export const NEVER: AbortSignal = new AbortController().signal;

/** An engine in this thread, over a local file of its own. */
export async function startEngine(url: string, options: Partial<EngineOptions> = {}): Promise<EngineFixture> {
  const file = options.database ?? join(tempDir(), "replica.db");
  const engine = createEngine(
    { database: file, sources: { main: url }, intervalSeconds: 300, lagSeconds: 0, concurrency: 4, ...options },
    () => {},
  );
  atEnd(() => engine.close());
  await engine.open();
  const fixture: EngineFixture = {
    engine,
    file,
    async add(definition) {
      const task = await engine.addTask(definition, NEVER);
      await fixture.run(task);
      return await engine.task(task.id);
    },
    async run(task, reason = "scheduled") {
      let outcome: UnitOutcome;
      do outcome = await engine.advance(task.id, reason, NEVER);
      while (outcome.more);
      const [run] = await engine.runs(task.id, 1);
      if (!run) throw new Error("The run is not in the books");
      return run;
    },
    verify: (task, repair = false) => engine.verify(task.id, repair, NEVER),
    rows: (sql) => withFile(file, { readonly: true }, (database) => database.prepare(sql).all()) as never,
    change: (sql) => withFile(file, {}, (database) => void database.exec(sql)),
  };
  return fixture;
}

function withFile<T>(file: string, options: Database.Options, work: (database: Database.Database) => T): T {
  const database = new Database(file, options);
  try {
    return work(database);
  } finally {
    database.close();
  }
}
