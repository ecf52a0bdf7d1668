import { ReplicaError } from "../../errors.js";
import type { EngineOptions, ProgressHandler, TableEngine } from "./table-engine.js";

/** Makes the engine of these options. Nothing is opened before `open()`. */
export function createEngine(_options: EngineOptions, _onProgress: ProgressHandler): TableEngine {
  throw new ReplicaError("WORKER_FAILED", "The engine is not built yet.");
}
