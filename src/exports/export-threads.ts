import type { DumpReader, DumpRequest } from "./dump/dump-reader.js";
import type { ExportJob } from "./export-job.js";
import type { EngineOptions, ExportEngine } from "./jobs/export-engine.js";

/** How the facade gets at the engine's thread and the threads of dumps. Neither is started before it is asked for something. */
export interface ExportThreads {
  createEngine(options: EngineOptions, onJob: (job: ExportJob) => void): ExportEngine;
  /** A dump of the database as it is now. `scratch` is a folder for a copy, where one is needed. */
  openDump(options: EngineOptions, scratch: string, request: DumpRequest, signal: AbortSignal): Promise<DumpReader>;
}
