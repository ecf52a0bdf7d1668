import { ReplicaError } from "../errors.js";
import type { OutgoingRequest } from "./outgoing-request.js";

/** How many redirects one request follows. */
export const MAX_REDIRECTS = 5;

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const BODY_HEADERS = ["content-encoding", "content-language", "content-length", "content-location", "content-type"];

function refuse(message: string, status: number, hint: string): never {
  throw new ReplicaError("PRIMARY_REDIRECTED", message, { status, hint });
}

function turnsIntoGet(status: number, method: string): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}

/**
 * The request that a redirect asks for, by the fetch standard's "HTTP-redirect fetch" (method, body and body headers),
 * or `null` where the answer is no redirect. Throws `PRIMARY_REDIRECTED` when it leads to another origin: neither
 * credentials nor data follow there.
 */
export function redirectedRequest(request: OutgoingRequest, response: Response): OutgoingRequest | null {
  const { status } = response;
  if (response.type === "opaqueredirect") {
    refuse(
      "The primary redirects, and `fetchFn` does not show where to",
      status,
      "Configure the address it redirects to.",
    );
  }
  const location = response.headers.get("location");
  if (!REDIRECTS.includes(status) || location === null) return null;

  const { origin } = request.url;
  let url: URL;
  try {
    url = new URL(location, request.url);
  } catch {
    return refuse(`${origin} redirects to something that is no address`, status, "Mend the redirect at the primary.");
  }
  if (url.origin !== origin || url.username !== "" || url.password !== "") {
    refuse(
      `${origin} redirects to ${url.origin === "null" ? url.protocol : url.origin}; credentials and data do not follow there`,
      status,
      "If the primary has moved, configure its new address.",
    );
  }
  url.hash = "";
  const method = request.method.toUpperCase();
  if (!turnsIntoGet(status, method)) return { ...request, url };
  const headers = new Headers(request.headers);
  for (const name of BODY_HEADERS) headers.delete(name);
  return { ...request, url, method: "GET", headers, body: undefined };
}
