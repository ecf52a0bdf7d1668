import { isIP } from "node:net";
import { UsageError } from "../usage-error.js";

/** Environment variables that stand for `--server` and `--token`. */
const SERVER_VARIABLE = "STARFISH_REPLICA_SERVER";
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
  const [server, serverFrom] = pick(flags.server, "--server", env[SERVER_VARIABLE], SERVER_VARIABLE);
  if (server === "") {
    throw new UsageError(`which server? Give --server URL, or set ${SERVER_VARIABLE}, such as http://127.0.0.1:4000`);
  }
  const [token, tokenFrom] = pick(flags.token, "--token", env[TOKEN_VARIABLE], TOKEN_VARIABLE);
  // What cannot stand in a header.
  if (/[^\x21-\x7e]/.test(token)) {
    throw new UsageError(`${tokenFrom} holds characters that no token has: is it quoted or pasted as it should be?`);
  }
  const url = parseServer(server, serverFrom);
  const open = token !== "" && url.protocol === "http:" && !isLoopback(url.hostname);
  return {
    url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`,
    token: token === "" ? null : token,
    warning: open ? `the token goes to ${url.host} unencrypted, where others may read it: use https://` : null,
  };
}

function pick(
  flag: string | undefined,
  flagName: string,
  value: string | undefined,
  variable: string,
): [string, string] {
  return flag === undefined ? [value?.trim() ?? "", variable] : [flag.trim(), flagName];
}

function parseServer(text: string, from: string): URL {
  // Not shown where it cannot be read: whatever it is, it may hold a password.
  if (!/^https?:\/\//i.test(text)) throw new UsageError(`${from} must begin with http:// or https://`);
  if (!URL.canParse(text)) throw new UsageError(`${from} is no URL that can be read`);
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(`${from} must hold no user and password: the token goes into --token or ${TOKEN_VARIABLE}`);
  }
  if (url.search !== "" || url.hash !== "") throw new UsageError(`${from} must hold neither "?" nor "#"`);
  return url;
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) === 4) return host.startsWith("127.");
  return host === "::1" || host === "localhost" || host.endsWith(".localhost");
}
