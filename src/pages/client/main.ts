// What the package runs as a process of its own for one push or pull (`#page-worker`). Its argument is the process that asked for it.
import { endWithParent } from "../../threads/end-with-parent.js";
import { sendToParent } from "../../threads/send-to-parent.js";
import { type ServedMethod, serveCalls } from "../../threads/serve-calls.js";
import { runSync } from "./run-sync.js";
import type { SyncCall } from "./sync-call.js";

const methods = new Map<string, ServedMethod>([
  [
    "sync",
    (call: SyncCall, signal: AbortSignal) =>
      runSync({ call, signal, tell: (progress) => sendToParent({ kind: "event", value: progress }) }),
  ],
]);

endWithParent(Number(process.argv[2]));
process.on("message", serveCalls(methods, sendToParent) as (message: unknown) => void);
