import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { type ServedMethod, serveCalls } from "../../threads/serve-calls.js";
import type { EngineOptions, ProgressHandler, TableEngine } from "../copy/table-engine.js";
import { ENGINE_METHODS } from "./engine-methods.js";

/** Makes the engine that the worker's options ask for and answers the main thread's calls with it. Only inside a worker. */
export function serveEngine(create: (options: EngineOptions, onProgress: ProgressHandler) => TableEngine): void {
  const port = parentPort as MessagePort;
  const engine = create(workerData as EngineOptions, (progress) =>
    port.postMessage({ kind: "event", value: progress }),
  );
  const methods = new Map(
    (Object.keys(ENGINE_METHODS) as (keyof TableEngine)[]).map(
      (name) => [name, (engine[name] as ServedMethod).bind(engine)] as const,
    ),
  );
  port.on(
    "message",
    serveCalls(methods, (message) => port.postMessage(message)),
  );
}
