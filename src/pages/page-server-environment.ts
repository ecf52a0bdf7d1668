import type { PageServerOptions } from "./page-server-options.js";

/**
 * The options that stand in environment variables (`SESSION_KEY`, `SESSION_TTL_SECONDS`, … `GOOGLE_CLIENT_SECRET`). What is not set is left out; an
 * empty one counts as not set.
 * @throws ConfigurationError with every mistake at once
 */
export function readPageServerEnvironment(
  _environment: Readonly<Record<string, string | undefined>>,
): Partial<PageServerOptions> {
  throw new Error("being written");
}
