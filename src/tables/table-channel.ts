import type { Channel, SyncOutcome } from "../scheduler/channel.js";
import type { SyncContext } from "../scheduler/sync-context.js";
import type { TableEngine } from "./copy/table-engine.js";
import type { TaskRecord } from "./tasks/table-task.js";

/** Copies one table, a bounded unit of work at a time. */
export class TableChannel implements Channel {
  readonly name: string;
  readonly work = "copy";
  /** How many callers wait for a run that somebody asked for: what runs meanwhile does all that such a run does. */
  awaited = 0;
  /** A run came to nothing because the task was being verified. */
  passedOver = false;
  readonly #engine: TableEngine;
  readonly #id: string;

  constructor(engine: TableEngine, { id, targetTable }: Pick<TaskRecord, "id" | "targetTable">) {
    this.name = channelName(targetTable);
    this.#engine = engine;
    this.#id = id;
  }

  async sync({ signal, reason }: SyncContext): Promise<SyncOutcome> {
    const unit = await this.#engine.advance(this.#id, this.awaited > 0 ? "requested" : reason, signal);
    if (unit.busy) this.passedOver = true;
    return {
      changed: unit.changed,
      items: unit.rowsPulled + unit.rowsDeleted,
      bytes: unit.bytes,
      // A run keeps its stream from the source until its end: who waits for one must not be let in before.
      ...(unit.more && { more: true, hold: true }),
      ...(unit.busy && { idle: true }),
    };
  }
}

/** What errors, events and status call the copy of a table. */
export function channelName(targetTable: string): string {
  return `table:${targetTable}`;
}
