import { forCaller } from "../../control/for-caller.js";

/**
 * What is opened for a caller, unless they leave before. That they leave later is said by the body's `cancel`: a body that errored then would be a
 * failure in the host's log.
 * @throws RouteError 499 where they have left
 */
export async function openForCaller<T>(caller: AbortSignal, open: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort(caller.reason);
  caller.addEventListener("abort", leave, { once: true });
  if (caller.aborted) leave();
  try {
    return await forCaller(caller, open(leaving.signal));
  } finally {
    caller.removeEventListener("abort", leave);
  }
}
