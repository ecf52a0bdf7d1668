import { UsageError } from "../usage-error.js";
import { isInTheOpen, pickSetting, readServerUrl } from "./server-url.js";

/** Environment variable that stands for `--token`. */
export const TOKEN_VARIABLE = "STARFISH_REPLICA_TOKEN";

/** Where a server is, and what it lets us in with. */
export interface ControlTarget {
  /** Without a slash at the end; routes are put behind it. */
  readonly url: string;
  /** A server that is open to its own machine alone may have none. */
  readonly token: string | null;
  /** Where the token would go over the network as plain text: what to say about it. */
  readonly warning: string | null;
}

/**
 * Puts together what flags and environment say; a flag counts more.
 * @throws UsageError for what is missing or cannot be used; it never shows the token
 */
export function readControlTarget(
  flags: { readonly server?: string; readonly token?: string },
  env: Readonly<Record<string, string | undefined>>,
): ControlTarget {
  const url = readServerUrl(flags.server, env);
  const [token, tokenFrom] = pickSetting(flags.token, "--token", env[TOKEN_VARIABLE], TOKEN_VARIABLE);
  // What cannot stand in a header.
  if (/[^\x21-\x7e]/.test(token)) {
    throw new UsageError(`${tokenFrom} holds characters that no token has: is it quoted or pasted as it should be?`);
  }
  const open = token !== "" && isInTheOpen(url);
  return {
    url,
    token: token === "" ? null : token,
    warning: open ? `the token goes to ${new URL(url).host} unencrypted, where others may read it: use https://` : null,
  };
}
