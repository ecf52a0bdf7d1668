import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { createEngine } from "../../../src/tables/copy/create-engine.js";
import type { TableEngine, UnitOutcome } from "../../../src/tables/copy/table-engine.js";
import { LocalDatabase } from "../../../src/tables/local/local-database.js";
import type { TableTaskDefinition, TaskRecord, VerifyResult } from "../../../src/tables/tasks/table-task.js";
import { NEVER } from "../copy/engine-fixture.js";

/** When an engine dies: at which of its transactions, and whether that one is kept. */
export interface Death {
  readonly atTransaction: number;
  readonly committed: boolean;
}

class Killed extends Error {}

/**
 * An engine that can die at any of its transactions, as by `kill -9`: what goes on afterwards has the files as they were at that moment.
 * One at a time in a process.
 */
export class MortalEngine {
  readonly #folder: string;
  readonly #url: string;
  readonly #lagSeconds: number;
  #engine: TableEngine | null = null;
  #life = 0;
  #death: Death | null = null;
  #dying = false;
  static #current: MortalEngine | null = null;
  /** How many have died. */
  static deaths = 0;

  constructor(folder: string, url: string, lagSeconds: number) {
    this.#folder = folder;
    this.#url = url;
    this.#lagSeconds = lagSeconds;
  }

  get file(): string {
    return join(this.#folder, String(this.#life), "replica.db");
  }

  get dead(): boolean {
    return this.#engine === null;
  }

  async open(): Promise<readonly TaskRecord[]> {
    MortalEngine.#current = this;
    mkdirSync(join(this.#folder, String(this.#life)), { recursive: true });
    const engine = createEngine(
      {
        database: this.file,
        sources: { main: this.#url },
        intervalSeconds: 300,
        lagSeconds: this.#lagSeconds,
        concurrency: 4,
      },
      () => {},
    );
    const tasks = await engine.open();
    this.#engine = engine;
    return tasks;
  }

  async add(definition: TableTaskDefinition): Promise<TaskRecord> {
    return await this.#living.addTask(definition, NEVER);
  }

  /** One unit; `null` where it died of it. */
  async advance(id: string, reason: "scheduled" | "requested"): Promise<UnitOutcome | null> {
    try {
      return await this.#living.advance(id, reason, NEVER);
    } catch (error) {
      if (!this.#dying) throw error;
      await this.#bury();
      return null;
    }
  }

  async verify(id: string, repair: boolean): Promise<VerifyResult> {
    return await this.#living.verify(id, repair, NEVER);
  }

  dieAt(death: Death | null): void {
    this.#death = death;
  }

  /** Ends in good order. */
  async close(): Promise<void> {
    await this.#engine?.close();
    this.#engine = null;
  }

  /** Reads the local file as another program does. */
  look<T>(work: (database: Database.Database) => T): T {
    const database = new Database(this.file, { readonly: true });
    try {
      return work(database);
    } finally {
      database.close();
    }
  }

  get #living(): TableEngine {
    if (!this.#engine) throw new Error("The engine is dead");
    return this.#engine;
  }

  async #bury(): Promise<void> {
    const old = join(this.#folder, String(this.#life));
    await this.#engine?.close().catch(() => {});
    this.#engine = null;
    this.#life += 1;
    this.#dying = false;
    rmSync(old, { recursive: true, force: true });
  }

  #die(): never {
    this.#death = null;
    this.#dying = true;
    MortalEngine.deaths += 1;
    const next = join(this.#folder, String(this.#life + 1));
    mkdirSync(next, { recursive: true });
    for (const name of ["replica.db", "replica.db-wal"]) {
      const from = join(this.#folder, String(this.#life), name);
      if (existsSync(from)) copyFileSync(from, join(next, name));
    }
    throw new Killed("killed");
  }

  /** Lets every engine of this process die at its transactions. Returns the way back. */
  static install(): () => void {
    const { transaction } = LocalDatabase.prototype;
    LocalDatabase.prototype.transaction = function <T>(this: LocalDatabase, work: () => T): T {
      const mortal = MortalEngine.#current;
      const death = mortal?.file === this.path ? mortal.#death : null;
      if (!mortal || !death) return transaction.call(this, work) as T;
      mortal.#death = { ...death, atTransaction: death.atTransaction - 1 };
      if (death.atTransaction > 1) return transaction.call(this, work) as T;
      if (!death.committed)
        return transaction.call(this, () => {
          work();
          mortal.#die();
        }) as T;
      transaction.call(this, work);
      return mortal.#die();
    };
    return () => {
      LocalDatabase.prototype.transaction = transaction;
    };
  }
}
