import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { type ServedMethod, serveCalls, Transferred } from "../../threads/serve-calls.js";
import type { ExportJob } from "../export-job.js";
import { ENGINE_METHODS } from "./engine-methods.js";
import type { EngineOptions, ExportEngine } from "./export-engine.js";

/** Makes the engine that the worker's options ask for and answers the main thread's calls with it. Only inside a worker. */
export function serveExportEngine(
  create: (options: EngineOptions, onJob: (job: ExportJob) => void) => ExportEngine,
): void {
  const port = parentPort as MessagePort;
  const engine = create(workerData as EngineOptions, (job) => port.postMessage({ kind: "event", value: job }));
  const methods = new Map<string, ServedMethod>(
    (Object.keys(ENGINE_METHODS) as (keyof ExportEngine)[]).map((name) => [
      name,
      (engine[name] as ServedMethod).bind(engine),
    ]),
  );
  methods.set("readArtifact", async (reader: number) => handOver(await engine.readArtifact(reader)));
  port.on(
    "message",
    serveCalls(methods, (message, buffers) => port.postMessage(message, (buffers ?? []) as ArrayBuffer[])),
  );
}

/** Without a copy, where the bytes have their memory for themselves. */
function handOver(bytes: Uint8Array | null): unknown {
  if (bytes === null) return null;
  const { buffer } = bytes;
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength;
  const plain = isAlone ? new Uint8Array(buffer) : new Uint8Array(bytes);
  return new Transferred(plain, [plain.buffer as ArrayBuffer]);
}
