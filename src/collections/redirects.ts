import { ReplicaError } from "../errors.js";
import { describeUrl } from "../http/describe-url.js";
import type { HttpAnswer, HttpRequest } from "./transport.js";

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 5;

/** Sends and follows redirects within the origin. Nothing of a request, least of all its credentials, goes to another one. */
export async function sendFollowing(
  send: (request: HttpRequest) => Promise<HttpAnswer>,
  request: HttpRequest,
): Promise<HttpAnswer> {
  let current = request;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const answer = await send(current);
    const location = REDIRECTS.has(answer.status) ? answer.header("location") : null;
    if (!location) return answer;
    // Only these two keep the method and the body of a write.
    if (current.method === "POST" && answer.status !== 307 && answer.status !== 308) return answer;
    current = { ...current, url: redirectTarget(location, current.url, answer.status) };
  }
  throw new ReplicaError(
    "PRIMARY_REDIRECTED",
    `${describeUrl(request.url)} redirected more than ${MAX_REDIRECTS} times`,
  );
}

function redirectTarget(location: string, from: string, status: number): string {
  const target = URL.canParse(location, from) ? new URL(location, from) : null;
  if (target?.origin === new URL(from).origin) return target.href;
  throw new ReplicaError(
    "PRIMARY_REDIRECTED",
    `${describeUrl(from)} redirected to ${target ? describeUrl(target) : "something that is no URL"}, which is another origin`,
    { status, hint: "If the primary moved there, set `url` to it." },
  );
}
