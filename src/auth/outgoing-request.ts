import { type BufferedBody, bufferBody } from "./request-body.js";

/** A call of `fetch`, read once and kept in memory, so that it can be signed and sent any number of times. */
export interface OutgoingRequest {
  readonly url: URL;
  /** As the caller wrote it. */
  readonly method: string;
  /** The caller's headers and the body's content type. */
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  /** Everything else of the caller's `init`, `signal` included, and members that only some `fetch` knows. */
  readonly init: RequestInit;
}

/** The members of a `Request` that describe how to send it, which are getters and so escape a spread. */
const MEMBERS = [
  "cache",
  "credentials",
  "integrity",
  "keepalive",
  "mode",
  "redirect",
  "referrer",
  "referrerPolicy",
  "signal",
] as const;

function membersOf(source: object): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const key of MEMBERS) {
    const value = (source as Record<string, unknown>)[key];
    if (value !== undefined) members[key] = value;
  }
  return members;
}

/**
 * Reads `http:` and `https:` addresses. Throws a `TypeError`, like `fetch`, that does not repeat the address: it may
 * carry secrets.
 */
export function parseHttpUrl(address: string | URL): URL {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new TypeError("the address of a signed request must be an absolute URL");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new TypeError(`cannot sign a request to ${url.protocol}`);
  if (url.username !== "" || url.password !== "")
    throw new TypeError("the address of a signed request must not carry a user name");
  url.hash = "";
  return url;
}

function isRequest(input: unknown): input is Request {
  return typeof input === "object" && input !== null && !(input instanceof URL) && "url" in input && "headers" in input;
}

/**
 * Reads the arguments of `fetch` by its rules: what `init` says wins over what a `Request` says, headers as a whole.
 * Buffers the body. Rejects with the signal's reason when aborted, with a `TypeError` on an address that cannot be
 * signed.
 */
export async function readFetchArguments(
  input: string | URL | Request,
  init: RequestInit = {},
): Promise<OutgoingRequest> {
  const request = isRequest(input) ? input : undefined;
  const url = parseHttpUrl(request?.url ?? (input as string | URL));
  const { method: _method, headers: _headers, body: _body, ...rest } = { ...(request && membersOf(request)), ...init };
  const merged: RequestInit = { ...rest, ...membersOf(init) };
  const signal = merged.signal ?? null;
  signal?.throwIfAborted();

  const headers = new Headers(init.headers ?? request?.headers);
  const given = init.body ?? undefined;
  let buffered: BufferedBody | undefined;
  if (given !== undefined) buffered = await bufferBody(given, signal);
  else if (init.body === undefined && request?.body) buffered = await bufferBody(request.body, signal);
  if (buffered?.contentType && !headers.has("content-type")) headers.set("content-type", buffered.contentType);

  return { url, method: init.method ?? request?.method ?? "GET", headers, body: buffered?.bytes, init: merged };
}
