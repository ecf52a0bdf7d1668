import { ReplicaError } from "../errors.js";
import type { PageClient, PageClientOptions } from "./page-client.js";

/**
 * A client of one page server. It starts nothing before it is asked to sync.
 * @throws ConfigurationError with all that is wrong with the options
 */
export function createPageClient(_options: PageClientOptions): PageClient {
  throw new ReplicaError("WORKER_FAILED", "not built yet");
}
