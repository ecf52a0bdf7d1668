import { ReplicaError } from "../errors.js";
import { HEADER, JSON_TYPE } from "../protocol/wire.js";
import { type OutgoingRequest, readFetchArguments } from "./outgoing-request.js";
import { MAX_REDIRECTS, redirectedRequest } from "./redirect.js";

export interface SigningFetchOptions {
  /** The four headers for one request, signed at this moment. */
  readonly sign: (method: string, url: URL, body: Uint8Array | undefined) => Record<string, string>;
  /** Whether a refused request, signed at `signedAtMs`, is worth signing again. */
  readonly correctClock: (dateHeader: string | null, signedAtMs: number) => boolean;
  /** The caller's `fetchFn`; `globalThis.fetch`, as it is at each call, unless given. */
  readonly fetchFn: typeof fetch | undefined;
}

const WRITES = ["POST", "PUT", "PATCH", "DELETE"];

/**
 * The body that the primary checks a signature against. Its rule (starfish-server, `createCapCertRoleResolver`): the
 * body of a write, except of one whose media type is neither missing nor JSON; that is a binary upload, which is signed
 * as if it were empty.
 */
function signedBody({ method, headers, body }: OutgoingRequest): Uint8Array | undefined {
  const mediaType = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  const isUpload = mediaType !== "" && mediaType !== JSON_TYPE;
  return isUpload || !WRITES.includes(method.toUpperCase()) ? undefined : body;
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}

/**
 * A `fetch` that signs what it sends, each time anew. Keeps the caller's headers (the four of the signature win) and
 * `init`; buffers the body. A 401 that shows a wrong clock is tried once more; redirects within the origin are followed
 * unless the caller says otherwise.
 */
export function createSigningFetch({ sign, correctClock, fetchFn }: SigningFetchOptions): typeof fetch {
  async function send(request: OutgoingRequest): Promise<{ response: Response; signedAtMs: number }> {
    const { url, method, body, init } = request;
    init.signal?.throwIfAborted();
    const headers = new Headers(request.headers);
    const signed = sign(method.toUpperCase(), url, signedBody(request));
    for (const [name, value] of Object.entries(signed)) headers.set(name, value);
    const call = fetchFn ?? globalThis.fetch;
    const response = await call(url.href, { ...init, method, headers, ...(body && { body }) });
    return { response, signedAtMs: Number(signed[HEADER.timestamp]) };
  }

  return async (input, init) => {
    let request = await readFetchArguments(input, init ?? {});
    const follows = (request.init.redirect ?? "follow") === "follow";
    if (follows) request = { ...request, init: { ...request.init, redirect: "manual" } };

    let triedAgain = false;
    for (let redirects = 0; ; ) {
      const { response, signedAtMs } = await send(request);
      if (response.status === 401 && !triedAgain && correctClock(response.headers.get("date"), signedAtMs)) {
        triedAgain = true;
        await discard(response);
        continue;
      }
      let next: OutgoingRequest | null = null;
      try {
        next = follows ? redirectedRequest(request, response) : null;
        if (next !== null && ++redirects > MAX_REDIRECTS) {
          throw new ReplicaError(
            "PRIMARY_REDIRECTED",
            `${request.url.origin} redirects more than ${MAX_REDIRECTS} times`,
            {
              status: response.status,
              hint: "Configure the address that the redirects end at, or mend their loop at the primary.",
            },
          );
        }
      } catch (error) {
        await discard(response);
        throw error;
      }
      if (next === null) return response;
      await discard(response);
      request = next;
    }
  };
}
