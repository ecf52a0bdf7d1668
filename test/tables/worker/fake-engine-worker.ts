// A worker whose engine does what its arguments say. `id` of a task is the order.
import { ConfigurationError, ReplicaError } from "../../../src/errors.js";
import type {
  EngineOptions,
  ProgressHandler,
  TableEngine,
  UnitOutcome,
} from "../../../src/tables/copy/table-engine.js";
import type { TaskRecord } from "../../../src/tables/tasks/table-task.js";
import { serveEngine } from "../../../src/tables/worker/serve-engine.js";

let opens = 0;
const OUTCOME: UnitOutcome = { changed: true, rowsPulled: 1, rowsDeleted: 0, bytes: 1, more: false };
const never = new Promise<never>(() => {});

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

function create(options: EngineOptions, onProgress: ProgressHandler): TableEngine {
  const record = (what: string) => ({ id: what }) as unknown as TaskRecord;
  const orders: Record<string, () => unknown> = {
    opens: () => record(String(opens)),
    database: () => record(options.database),
    throw: () => {
      throw new TypeError("a plain mistake");
    },
    "throw nothing much": () => {
      throw "a string";
    },
    ours: () => {
      throw new ReplicaError("SOURCE_UNREACHABLE", "down", {
        retryable: true,
        hint: "start it",
        retryAfterMs: 5,
        status: 503,
        cause: new Error("ECONNREFUSED"),
      });
    },
    configuration: () => {
      throw new ConfigurationError(["a", "b"]);
    },
    function: () => () => {},
    crash: () => {
      setImmediate(() => {
        throw new Error("nobody caught this");
      });
      return never;
    },
    rejection: () => {
      void Promise.reject(new Error("nobody awaited this"));
      return never;
    },
    exit: () => process.exit(7),
    memory: () => {
      const hoard: unknown[] = [];
      for (;;) hoard.push(new Array(1_000).fill(hoard.length));
    },
    hang: () => never,
    block: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500),
  };
  return {
    open: async () => {
      opens += 1;
      if (options.database === "broken") throw new ReplicaError("LOCAL_DATABASE", "broken");
      return [record("opened")];
    },
    addTask: async (definition) => record(definition.sourceTable),
    ensureTask: async (definition) => record(definition.sourceTable),
    updateTask: async (id, change) => record(`${id}:${JSON.stringify(change)}`),
    removeTask: async () => undefined,
    advance: async (id, reason, signal) => {
      if (id === "wait") return aborted(signal);
      if (id === "deaf") return never;
      if (id === "other") {
        await aborted(signal).catch(() => {});
        throw new ReplicaError("SOURCE_FAILED", "cancelled at the source");
      }
      onProgress({ taskId: id, targetTable: reason, phase: "copy", rowsDone: 5, rowsEstimated: null });
      return OUTCOME;
    },
    verify: async () => ({ equal: true, missing: 0, extra: 0, different: 0, repaired: 0 }),
    task: async (id) => (await orders[id]?.()) as TaskRecord,
    runs: async () => [],
    close: async () => {
      if (options.database === "slow to close") await never;
      if (options.database === "bad at closing") throw new ReplicaError("LOCAL_DATABASE", "disk full");
    },
  };
}

serveEngine(create);
