import { showValue } from "../config/show-value.js";
import { ConfigurationError } from "../errors.js";
import { booleanMistakes, isRecord, unknownMistakes } from "./option-shape.js";
import type { PageClientOptions, PageSyncRequest } from "./page-client.js";
import { fileMistakes, tokenMistakes } from "./sync-request-mistakes.js";

const KNOWN_OPTIONS: Readonly<Record<keyof PageClientOptions, true>> = { url: true, idleSeconds: true };
const KNOWN_FIELDS: Readonly<Record<keyof PageSyncRequest, true>> = {
  file: true,
  token: true,
  force: true,
  check: true,
  onProgress: true,
};

/** A tenth of a second and a day. */
const IDLE_SECONDS = { min: 0.1, max: 86_400 };

/** All that is wrong with the options of a client. The URL is not shown: it may hold a password. */
export function clientMistakes(options: PageClientOptions): readonly string[] {
  if (!isRecord(options)) return ["the options of createPageClient must be an object"];
  const { idleSeconds } = options;
  const mistakes = [...unknownMistakes(options, Object.keys(KNOWN_OPTIONS)), ...urlMistakes(options.url)];
  const isSeconds =
    typeof idleSeconds === "number" && idleSeconds >= IDLE_SECONDS.min && idleSeconds <= IDLE_SECONDS.max;
  if (idleSeconds !== undefined && !isSeconds) {
    const { min, max } = IDLE_SECONDS;
    mistakes.push(`idleSeconds must be a number of seconds from ${min} to ${max}, got ${showValue(idleSeconds)}`);
  }
  return mistakes;
}

/** @throws ConfigurationError with all that is wrong with what is asked of a client */
export function verifyRequest(direction: "push" | "pull", request: PageSyncRequest): void {
  if (!isRecord(request)) throw new ConfigurationError([`${direction} takes an object with file and token`]);
  const { onProgress } = request;
  const mistakes = [
    ...unknownMistakes(request, Object.keys(KNOWN_FIELDS)),
    ...fileMistakes(request.file),
    ...tokenMistakes(request.token),
    ...booleanMistakes(request, ["force", "check"]),
  ];
  if (onProgress !== undefined && typeof onProgress !== "function") {
    mistakes.push(`onProgress must be a function, got ${showValue(onProgress)}`);
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
}

function urlMistakes(url: unknown): string[] {
  if (typeof url !== "string" || !URL.canParse(url))
    return ["url must be the URL of a page server, such as https://sync.example.com"];
  const { protocol, username, password, search, hash } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") return [`url must begin with http: or https:, not ${protocol}`];
  const mistakes: string[] = [];
  if (username !== "" || password !== "")
    mistakes.push("url must not carry credentials: the token is given with each sync");
  if (search !== "" || hash !== "") mistakes.push('url must hold neither "?" nor "#"');
  return mistakes;
}
