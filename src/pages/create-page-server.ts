import type { PageServer } from "./page-server.js";
import type { PageServerOptions } from "./page-server-options.js";

/**
 * A page server over a folder. Nothing is opened and no driver loaded before `start()`.
 * @throws ConfigurationError with every mistake at once
 */
export function createPageServer(_options: PageServerOptions): PageServer {
  throw new Error("being written");
}
