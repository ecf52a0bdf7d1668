import { isIP } from "node:net";
import { UsageError } from "../usage-error.js";

/** Environment variable that stands for `--server`. */
const SERVER_VARIABLE = "STARFISH_REPLICA_SERVER";

/** What a flag or its environment variable says, and which of them: a flag counts more. "" where neither does. */
export function pickSetting(
  flag: string | undefined,
  flagName: string,
  value: string | undefined,
  variable: string,
): [string, string] {
  return flag === undefined ? [value?.trim() ?? "", variable] : [flag.trim(), flagName];
}

/**
 * Where the server is: without a slash at the end, so that routes are put behind it.
 * @throws UsageError for what is missing or cannot be used
 */
export function readServerUrl(flag: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  const [text, from] = pickSetting(flag, "--server", env[SERVER_VARIABLE], SERVER_VARIABLE);
  if (text === "") {
    throw new UsageError(`which server? Give --server URL, or set ${SERVER_VARIABLE}, such as http://127.0.0.1:4000`);
  }
  // Not shown where it cannot be read: whatever it is, it may hold a password.
  if (!/^https?:\/\//i.test(text)) throw new UsageError(`${from} must begin with http:// or https://`);
  if (!URL.canParse(text)) throw new UsageError(`${from} is no URL that can be read`);
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(`${from} must hold no user and password: there are flags and variables for what lets you in`);
  }
  if (url.search !== "" || url.hash !== "") throw new UsageError(`${from} must hold neither "?" nor "#"`);
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** Whether what is sent there may be read on its way. */
export function isInTheOpen(server: string): boolean {
  const url = new URL(server);
  return url.protocol === "http:" && !isLoopback(url.hostname);
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) === 4) return host.startsWith("127.");
  return host === "::1" || host === "localhost" || host.endsWith(".localhost");
}
