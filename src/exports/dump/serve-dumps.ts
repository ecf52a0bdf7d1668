import { type MessagePort, parentPort } from "node:worker_threads";
import { type ServedMethod, serveCalls } from "../../threads/serve-calls.js";
import { type CopyOptions, copyDatabase } from "./copy-database.js";
import { DumpServer } from "./dump-server.js";

/** Answers the calls of whoever started this thread. Only inside a worker. */
export function serveDumps(): void {
  const port = parentPort as MessagePort;
  const server = new DumpServer();
  const methods = new Map<string, ServedMethod>([
    ["open", server.open.bind(server)],
    ["begin", server.begin.bind(server)],
    ["pull", server.pull.bind(server)],
    ["stop", server.stop.bind(server)],
    ["close", server.close.bind(server)],
    [
      "copy",
      (options: CopyOptions, signal: AbortSignal) =>
        copyDatabase(options, (progress) => port.postMessage({ kind: "event", value: progress }), signal),
    ],
  ]);
  port.on(
    "message",
    serveCalls(methods, (message, buffers) => port.postMessage(message, buffers)),
  );
}
