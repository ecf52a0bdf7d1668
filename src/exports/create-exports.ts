import { openLiveDump } from "./dump/open-live-dump.js";
import { parseExportSettings } from "./export-settings.js";
import type { ExportThreads } from "./export-threads.js";
import { Exports } from "./exports.js";
import type { ExportsOptions } from "./exports-options.js";
import { DiskRoom } from "./jobs/disk-room.js";
import { createWorkerExportEngine } from "./jobs/export-engine-client.js";

const THREADS: ExportThreads = {
  createEngine: createWorkerExportEngine,
  openDump: (options, scratch, request, signal) =>
    openLiveDump(
      { database: options.database, scratch, request, limits: () => new DiskRoom(options).limits() },
      signal,
    ),
};

/**
 * Exports of a SQLite file: streams at once, and jobs that survive anything. Nothing is opened and no driver loaded before `start()`.
 * @throws ConfigurationError with every mistake at once
 */
export function createExports(options: ExportsOptions): Exports {
  return new Exports(parseExportSettings(options), THREADS);
}
