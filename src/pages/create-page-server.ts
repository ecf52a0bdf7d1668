import type { PageServer } from "./page-server.js";
import { PageServerFacade } from "./page-server-facade.js";
import type { PageServerOptions } from "./page-server-options.js";
import { parsePageServerSettings } from "./page-server-settings.js";

/**
 * A page server over a folder. Nothing is opened and no driver loaded before `start()`.
 * @throws ConfigurationError with every mistake at once
 */
export function createPageServer(options: PageServerOptions): PageServer {
  return new PageServerFacade(parsePageServerSettings(options));
}
