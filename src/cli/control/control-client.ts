import { Agent, type Dispatcher, request } from "undici";
import { CliError } from "../cli-error.js";
import { answerError, connectionError, notOurs } from "./answer-error.js";
import type { ControlTarget } from "./control-target.js";
import { headerOf } from "./header-of.js";

const CONNECT_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 60_000;
/** Between two pieces of an answer. */
const STALL_TIMEOUT_MS = 60_000;
/** Lists of jobs are long; anything longer is no list. */
const MAX_JSON_BYTES = 32 * 1024 * 1024;

interface AskOptions {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** Is sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** An answer whose body is still to be read, or `destroy`ed. */
export type OpenAnswer = Pick<Dispatcher.ResponseData, "statusCode" | "headers" | "body">;

/**
 * Asks the control routes of a server. Nothing is tried twice and no redirect followed. Aborting rejects with the signal's reason.
 * Everything else rejects with a {@link CliError} that says what to do about it.
 */
export interface ControlClient {
  /** Whose it is, as messages may show it. */
  readonly url: string;
  /** The JSON of a successful answer, `null` where that is empty. */
  ask(path: string, options?: AskOptions): Promise<unknown>;
  /** A successful answer (2xx) or one of those `accepted`, its body as it was sent: never unpacked. */
  open(
    path: string,
    options: { headers?: Readonly<Record<string, string>>; accepted?: readonly number[]; signal: AbortSignal },
  ): Promise<OpenAnswer>;
  /** What reading a body failed with, as a {@link CliError}. */
  explain(error: unknown): CliError;
  close(): Promise<void>;
}

/** Connects when it is first asked. */
export function createControlClient({ url: base, token }: ControlTarget): ControlClient {
  const dispatcher = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: STALL_TIMEOUT_MS,
  });
  const explain = (error: unknown): CliError => (error instanceof CliError ? error : connectionError(error, base));

  const send = async (
    path: string,
    { method = "GET", body, headers = {}, signal }: AskOptions & { headers?: Readonly<Record<string, string>> },
  ): Promise<OpenAnswer> => {
    try {
      const answer = await request(`${base}${path}`, {
        dispatcher,
        method,
        headers: {
          accept: "application/json, */*;q=0.5",
          "accept-encoding": "identity",
          "user-agent": "starfish-replica",
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      });
      // Whoever reads it learns of it there; one that is left alone must not end the process.
      answer.body.on("error", () => {});
      return answer;
    } catch (error) {
      signal?.throwIfAborted();
      throw explain(error);
    }
  };

  const refuse = async (path: string, answer: OpenAnswer): Promise<CliError> => {
    const header = (name: string): string | null => headerOf(answer, name);
    const text = await readText(answer).catch(() => "");
    return answerError({
      url: `${base}${path}`,
      status: answer.statusCode,
      mediaType: header("content-type") ?? "",
      retryAfter: header("retry-after"),
      location: header("location"),
      body: parseJson(text),
      token,
    });
  };

  return {
    url: base,
    explain,
    async ask(path, options = {}) {
      const answer = await send(path, options);
      if (!isSuccess(answer)) throw await refuse(path, answer);
      let text: string;
      try {
        text = await readText(answer);
      } catch (error) {
        options.signal?.throwIfAborted();
        throw explain(error);
      }
      if (text === "") return null;
      const value = parseJson(text);
      if (value === undefined) throw notOurs(`${base}${path}`, headerOf(answer, "content-type") ?? "something else");
      return value;
    },
    async open(path, { accepted = [], ...options }) {
      const answer = await send(path, options);
      if (isSuccess(answer) || accepted.includes(answer.statusCode)) return answer;
      throw await refuse(path, answer);
    },
    close: () => dispatcher.destroy(),
  };
}

function isSuccess({ statusCode }: OpenAnswer): boolean {
  return statusCode >= 200 && statusCode < 300;
}

async function readText({ body }: OpenAnswer): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_JSON_BYTES) throw new CliError("NOT_OURS", `the answer is longer than ${MAX_JSON_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** `undefined` for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
