import type { IncomingMessage } from "node:http";
import { ReplicaError } from "../../errors.js";
import { describeUrl } from "../../http/describe-url.js";
import { parseRetryAfter } from "../../http/retry-after.js";
import { isTemporary } from "../../http/temporary-status.js";

/** As much of an answer's body as is worth reading, and how long. */
const MAX_BODY_BYTES = 4_096;
const BODY_PATIENCE_MS = 2_000;
const MAX_WORDS = 300;

/** What an HTTP answer to the upgrade means, in the server's own words where it has some. Never rejects. */
export async function refusedUpgrade(url: string, response: IncomingMessage): Promise<ReplicaError> {
  const status = response.statusCode ?? 0;
  const said = printable(sentence(await readBody(response)));
  const what = `The page server at ${describeUrl(url)} answered ${status}${said === "" ? "" : `: ${said}`}`;
  if (status === 401) {
    return new ReplicaError("INVALID_TOKEN", what, {
      status,
      hint: "Get a new sync token for this database and direction: starfish-replica db token ID --direction push|pull",
    });
  }
  if (status === 404) {
    return new ReplicaError("UNKNOWN_DATABASE", what, {
      status,
      hint: "The database was deleted, or the URL is not a page server's: /sync is added to it.",
    });
  }
  const retryAfterMs = parseRetryAfter(response.headers["retry-after"] ?? null);
  return new ReplicaError("SYNC_REFUSED", what, {
    status,
    retryable: isTemporary(status),
    ...(retryAfterMs !== null && { retryAfterMs }),
    ...(status >= 300 && status < 400 && { hint: "Redirects are not followed: give the URL that it leads to." }),
  });
}

/** A text of somebody else's as a message may show it: no control characters, and not too long. */
export function printable(text: string): string {
  const clean = text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/ +/g, " ")
    .trim();
  return clean.length > MAX_WORDS ? `${clean.slice(0, MAX_WORDS)}…` : clean;
}

function sentence(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    const { error, message } = (parsed ?? {}) as { error?: unknown; message?: unknown };
    return typeof error === "string" ? error : typeof message === "string" ? message : "";
  } catch {
    // A page of HTML says nothing that a sentence could take up.
    return body.trimStart().startsWith("<") ? "" : body;
  }
}

function readBody(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let body = "";
    const end = () => {
      clearTimeout(timer);
      response.destroy();
      resolve(body);
    };
    const timer = setTimeout(end, BODY_PATIENCE_MS);
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      body += text;
      if (body.length > MAX_BODY_BYTES) end();
    });
    response.once("end", end);
    response.once("error", end);
    response.once("close", end);
  });
}
