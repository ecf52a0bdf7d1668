import { describeUrl } from "../http/describe-url.js";
import { parseRetryAfter } from "../http/retry-after.js";
import { HEADER } from "../protocol/wire.js";
import { SSE } from "./sse-wire.js";
import { streamErrors } from "./stream-errors.js";
import type { StreamAnswer, StreamTransport } from "./stream-transport.js";

/** Signs requests; `createReplicaAuth` gives one. */
export interface StreamSigner {
  /** The headers that authenticate this one request. A second request needs its own. */
  sign(request: { method: string; url: string }): Promise<Record<string, string>>;
  /**
   * Takes the `Date` of a 401 and the time that the refused request was signed with; `true` when the clock was off and is corrected, so
   * that the request is worth signing again.
   */
  correctClock(date: string | null, signedAtMs?: number): boolean;
}

export interface StreamRequest {
  readonly url: string;
  /** Sent with every hop. */
  readonly headers: Readonly<Record<string, string>>;
  readonly auth: StreamSigner | undefined;
  readonly lastEventId: string | null;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 5;

/**
 * Opens a stream of events: signs each hop afresh, corrects a wrong clock once, follows redirects within the origin.
 * @throws PRIMARY_REFUSED, PRIMARY_UNAVAILABLE, PRIMARY_REDIRECTED, ANSWER_INVALID, or what the transport throws
 */
export async function openStream(
  transport: StreamTransport,
  request: StreamRequest,
  signal: AbortSignal,
): Promise<StreamAnswer> {
  let { url } = request;
  let corrected = false;
  for (let hops = 0; ; ) {
    const headers = await requestHeaders(request, url);
    signal.throwIfAborted();
    const answer = await transport.open(url, headers, signal);
    try {
      if (answer.status === 200) return requireEventStream(answer, url);
    } catch (error) {
      answer.discard();
      throw error;
    }
    answer.discard();
    const signedAtMs = Number(headers[HEADER.timestamp.toLowerCase()]);
    if (answer.status === 401 && !corrected && request.auth?.correctClock(answer.header("date"), signedAtMs)) {
      corrected = true;
      continue;
    }
    const location = REDIRECTS.has(answer.status) ? answer.header("location") : null;
    if (location === null) throw refusal(answer, url);
    if (++hops > MAX_REDIRECTS)
      throw streamErrors.redirected(request.url, `more than ${MAX_REDIRECTS} times`, answer.status);
    url = redirectTarget(location, url, answer.status);
  }
}

async function requestHeaders(request: StreamRequest, url: string): Promise<Record<string, string>> {
  const { headers, auth, lastEventId } = request;
  const all = {
    accept: SSE.mediaType,
    "accept-encoding": "identity",
    "cache-control": "no-store",
    ...lowerCase(headers),
    ...(lastEventId !== null && lowerCase({ [SSE.lastEventId]: lastEventId })),
  };
  return auth ? { ...all, ...lowerCase(await auth.sign({ method: "GET", url })) } : all;
}

/** One name, one header, however it is written. */
function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function requireEventStream(answer: StreamAnswer, url: string): StreamAnswer {
  const type = answer.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type === SSE.mediaType) return answer;
  throw streamErrors.invalid(url, `answered with ${type ? `"${type}"` : "no content type"}, which is no event stream`);
}

function refusal(answer: StreamAnswer, url: string): Error {
  const { status } = answer;
  if (status < 300) return streamErrors.invalid(url, `answered ${status}, which is no event stream`);
  return streamErrors.refused(url, status, parseRetryAfter(answer.header("retry-after")));
}

/** Credentials do not follow to another origin, and events do not come from there. */
function redirectTarget(location: string, from: string, status: number): string {
  const target = URL.canParse(location, from) ? new URL(location, from) : null;
  if (target?.origin === new URL(from).origin && target.username === "" && target.password === "") return target.href;
  const where = target
    ? `to ${target.origin === "null" ? target.protocol : describeUrl(target)}, which is another origin`
    : "to something that is no URL";
  throw streamErrors.redirected(from, where, status);
}
