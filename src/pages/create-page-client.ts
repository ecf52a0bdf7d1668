import { resolve as toAbsolute } from "node:path";
import { ConfigurationError, ReplicaError, toReplicaError } from "../errors.js";
import { eitherAbort } from "../threads/either-abort.js";
import { findOwnProgram } from "../threads/own-program.js";
import { type ProcessLink, startProcess } from "../threads/start-process.js";
import type { SyncCall } from "./client/sync-call.js";
import type {
  PageClient,
  PageClientOptions,
  PageSyncProgress,
  PageSyncRequest,
  PageSyncResult,
} from "./page-client.js";
import { clientMistakes, verifyRequest } from "./page-client-mistakes.js";

const CANNOT_START = "The process that syncs a database file cannot be started";
const DEFAULT_IDLE_SECONDS = 60;

/**
 * A client of one page server. It starts nothing before it is asked to sync.
 * @throws ConfigurationError with all that is wrong with the options
 */
export function createPageClient(options: PageClientOptions): PageClient {
  const mistakes = clientMistakes(options);
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  const url = syncUrl(options.url);
  const idleMs = (options.idleSeconds ?? DEFAULT_IDLE_SECONDS) * 1_000;
  const closing = new AbortController();
  const underWay = new Set<Promise<unknown>>();

  const sync = async (
    direction: "push" | "pull",
    request: PageSyncRequest,
    signal: AbortSignal | undefined,
  ): Promise<PageSyncResult> => {
    verifyRequest(direction, request);
    closing.signal.throwIfAborted();
    signal?.throwIfAborted();
    const { file, token, force = false, check = false, onProgress } = request;
    const call: SyncCall = { direction, url, idleMs, file: toAbsolute(file), token, force, check };
    const work = eitherAbort(closing.signal, signal);
    const running = runInProcess(call, onProgress, work.signal);
    underWay.add(running);
    try {
      return await running;
    } finally {
      underWay.delete(running);
      work.release();
    }
  };

  return {
    push: (request, signal) => sync("push", request, signal),
    pull: (request, signal) => sync("pull", request, signal),
    async close() {
      closing.abort(new ReplicaError("STOPPED", "The page client was closed."));
      await Promise.allSettled(underWay);
    },
  };
}

/** A process of its own for one sync: closing the file there takes no locks from connections that this process has to it. */
async function runInProcess(
  call: SyncCall,
  onProgress: ((progress: PageSyncProgress) => void) | undefined,
  signal: AbortSignal,
): Promise<PageSyncResult> {
  const child = start(onProgress);
  try {
    return (await child.link.call("sync", [call], signal)) as PageSyncResult;
  } finally {
    await child.kill(new ReplicaError("STOPPED", "The sync has ended."));
  }
}

function start(onProgress: ((progress: PageSyncProgress) => void) | undefined): ProcessLink {
  try {
    return startProcess(findOwnProgram("#page-worker", CANNOT_START), [], {
      what: "The process that syncs a database file",
      afterEnd: "Nothing is half written; the next sync starts another.",
      onEvent: (value) => tell(onProgress, value as PageSyncProgress),
    });
  } catch (error) {
    throw toReplicaError(error, "WORKER_FAILED", CANNOT_START);
  }
}

/** What a listener throws is its own affair, and no sync's. */
function tell(onProgress: ((progress: PageSyncProgress) => void) | undefined, progress: PageSyncProgress): void {
  try {
    onProgress?.(progress);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  }
}

function syncUrl(given: string): string {
  const url = new URL(given);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/sync`;
  return url.href;
}
