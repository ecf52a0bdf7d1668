import { join } from "node:path";
import { ReplicaError } from "../errors.js";
import { Body, type ByteSource } from "./body.js";
import type { DumpReader } from "./dump/dump-reader.js";
import { exportFileName } from "./export-file-name.js";
import type { ExportStream } from "./export-job.js";
import type { ExportSettings } from "./export-settings.js";
import type { ExportThreads } from "./export-threads.js";
import { DUMP_START } from "./formats/dump-position.js";
import type { DumpSelection } from "./formats/dump-selection.js";
import { FILE_FORMS } from "./formats/file-form.js";
import type { ParsedSelection } from "./stream-selection.js";
import { tablesSelection } from "./tables-selection.js";

const BUSY_RETRY_AFTER_MS = 10_000;

/** Dumps that are made while they are read, so many at a time. */
export class LiveStreams {
  /** Where copies of databases without WAL are kept for as long as they are read. */
  readonly scratch: string;
  readonly #settings: ExportSettings;
  readonly #threads: ExportThreads;
  /** Those that are being opened or read, until their thread has ended. */
  readonly #slots = new Map<AbortController, Promise<void>>();

  constructor(settings: ExportSettings, threads: ExportThreads) {
    this.#settings = settings;
    this.#threads = threads;
    this.scratch = join(settings.engine.dir, "streams");
  }

  /** @throws `INVALID_EXPORT`, `TABLE_MISSING`, `EXPORT_BUSY`, `LOCAL_DATABASE`, the signal's reason */
  async open(selection: ParsedSelection, signal: AbortSignal | undefined): Promise<ExportStream> {
    signal?.throwIfAborted();
    const { maxStreams, streamStallMs, maxStreamMs, engine } = this.#settings;
    if (this.#slots.size >= maxStreams) {
      throw new ReplicaError(
        "EXPORT_BUSY",
        `${maxStreams} streams are under way, as many as are allowed (maxStreams)`,
        {
          hint: "Try again later, or start a job.",
          retryable: true,
          retryAfterMs: BUSY_RETRY_AFTER_MS,
        },
      );
    }
    const slot = new AbortController();
    const longest = setTimeout(() => slot.abort(tooLong(maxStreamMs)), maxStreamMs).unref();
    let vacate = (): void => {};
    this.#slots.set(
      slot,
      new Promise((resolve) => {
        vacate = () => {
          clearTimeout(longest);
          this.#slots.delete(slot);
          resolve();
        };
      }),
    );
    let body: Body | undefined;
    try {
      const ends = signal ? AbortSignal.any([slot.signal, signal]) : slot.signal;
      const dump = await this.#openDump(selection, ends);
      const stall = { afterMs: streamStallMs, error: () => stalled(streamStallMs) };
      body = new Body(dumpSource(dump), { signal: ends, stall });
      void body.closed.then(vacate);
      ends.throwIfAborted();
      return {
        fileName: exportFileName(engine.database, { ...selection, at: new Date() }),
        mediaType: FILE_FORMS[selection.format].mediaType,
        body: body.stream,
      };
    } catch (error) {
      // A body that has ended vacates when its thread has.
      if (body === undefined) vacate();
      throw error;
    }
  }

  /** Cuts all short with this error, and resolves when no thread is left. */
  async close(error: ReplicaError): Promise<void> {
    const ends = [...this.#slots.values()];
    for (const slot of [...this.#slots.keys()]) slot.abort(error);
    await Promise.all(ends);
  }

  async #openDump(selection: ParsedSelection, signal: AbortSignal): Promise<DumpReader> {
    const { engine } = this.#settings;
    const request = { format: selection.format, selection: dumpSelection(selection, engine.except) };
    try {
      return await this.#threads.openDump(engine, this.scratch, request, signal);
    } catch (error) {
      if (!(error instanceof ReplicaError) || error.code !== "INVALID_CONFIGURATION") throw error;
      // The options were right; it is the selection that the format has no form for.
      const { message, hint } = error;
      throw new ReplicaError("INVALID_EXPORT", message, { ...(hint !== undefined && { hint }), cause: error });
    }
  }
}

function dumpSelection({ tables, alone }: ParsedSelection, except: readonly string[]): DumpSelection {
  const [only] = tables ?? [];
  return alone && only !== undefined ? { table: only } : tablesSelection(tables, except);
}

function dumpSource(dump: DumpReader): ByteSource {
  const abort = new AbortController();
  const pieces = dump.read(DUMP_START, abort.signal)[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await pieces.next();
      // The reader may keep it for as long as it likes; the dump's memory is used again.
      return done ? null : value.bytes.slice();
    },
    async close() {
      abort.abort(new ReplicaError("STOPPED", "The stream has ended"));
      pieces.return?.().catch(() => {});
      await dump.close();
    },
  };
}

function tooLong(maxMs: number): ReplicaError {
  return new ReplicaError("STOPPED", `The stream was ended: it lasted ${maxMs / 1_000} s (maxStreamSeconds)`, {
    hint: "Start a job, whose file can be read at any speed and by Range: a stream holds up the checkpoints of the database.",
  });
}

function stalled(stallMs: number): ReplicaError {
  const seconds = stallMs / 1_000;
  return new ReplicaError(
    "STOPPED",
    `The stream was ended: nothing was read of it for ${seconds} s (streamStallSeconds)`,
    {
      hint: "Read faster, or start a job, whose file can be read at any speed and by Range.",
    },
  );
}
