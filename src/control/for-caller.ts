import { RouteError, type RouteErrorCode } from "./route-error.js";

/** Work that ends when its caller leaves: what nobody waits for any more would hold up the next one. */
export async function forCaller<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw signal.aborted ? new RouteError(499, "CLIENT_GONE" satisfies RouteErrorCode, "The caller has left") : error;
  }
}
