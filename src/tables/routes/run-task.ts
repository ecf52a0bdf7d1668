import { errorAnswer, errorText } from "../../control/error-answer.js";
import { invalidRequest, RouteError } from "../../control/route-error.js";
import { ReplicaError } from "../../errors.js";
import type { TableControl } from "../table-control.js";

const DEFAULT_WAIT_SECONDS = 300;
const MAX_WAIT_SECONDS = 86_400;
/** Among this many newest runs the one that has just failed is looked for. */
const RUNS_SINCE = 10;

/** What a run that somebody asked for came to, in the time that they wait. */
export interface RunAnswer {
  /** 200: the body is the run. 202: the run goes on, the body is the task. */
  readonly status: 200 | 202;
  readonly body: unknown;
}

/**
 * Runs a task and waits so many seconds. Whoever leaves before leaves the run alone.
 * @throws RouteError 400, 404; 409 for a paused task; 502 with the run where it failed; 503
 */
export async function runTask(control: TableControl, id: string, wait: string | undefined): Promise<RunAnswer> {
  const waitSeconds = parseWait(wait);
  const task = await control.task(id);
  if (task.state === "paused") {
    throw new RouteError(409, "INVALID_TASK", "The task is paused: set paused to false first (PATCH)");
  }
  const run = control.runTask(task.id);
  const late = timer(waitSeconds * 1_000);
  try {
    const ended = await Promise.race([run, late.promise]);
    return ended ? { status: 200, body: ended } : { status: 202, body: await control.task(task.id) };
  } catch (error) {
    throw await failedRun(control, task.id, error);
  } finally {
    // The failure of a run that nobody waits for shows in the task.
    run.catch(() => {});
    late.clear();
  }
}

/** Where the source failed, the answer has the run in it. */
async function failedRun(control: TableControl, id: string, error: unknown): Promise<unknown> {
  const answer = errorAnswer(error);
  if (!(error instanceof ReplicaError) || answer.status < 502 || answer.status === 503) return answer;
  const runs = await control.runs(id, RUNS_SINCE).catch(() => []);
  // A retry may have begun, or have ended well, since it failed.
  const run = runs.find(({ finishedAt, error: failure }) => finishedAt !== null && failure !== null) ?? null;
  return new RouteError(502, error.code, errorText(error), { more: { run } });
}

function parseWait(wait: string | undefined): number {
  if (wait === undefined) return DEFAULT_WAIT_SECONDS;
  const seconds = /^\d{1,9}(\.\d{1,3})?$/.test(wait) ? Number(wait) : Number.NaN;
  if (seconds <= MAX_WAIT_SECONDS) return seconds;
  throw invalidRequest(`wait must be a number of seconds from 0 to ${MAX_WAIT_SECONDS}`);
}

function timer(delayMs: number): { readonly promise: Promise<null>; clear(): void } {
  let timeout: NodeJS.Timeout | undefined;
  const promise = new Promise<null>((resolve) => {
    timeout = setTimeout(() => resolve(null), delayMs);
  });
  return { promise, clear: () => clearTimeout(timeout) };
}
