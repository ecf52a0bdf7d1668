import { POLICIES } from "../modes/policies.js";
import { WRITE_MODES, type WriteMode } from "../modes/write-mode.js";
import { isJsonObject } from "../protocol/json-object.js";
import { MAX_TIMER_MS } from "../scheduler/max-timer.js";
import { TRIGGERS } from "../scheduler/trigger.js";
import { suggestion } from "./nearest-name.js";

const KNOWN_KEYS = [
  "url",
  "pullPath",
  "pushPath",
  "intervalMs",
  "headers",
  "writeMode",
  "syncTriggers",
  "onPullMinIntervalMs",
  "onPullMaxWaitMs",
  "requestTimeoutMs",
  "maxDocumentBytes",
  "merge",
  "missing",
  "missingGraceMs",
] as const;

/** Lowest and highest value of each whole-number option. */
const RANGES: ReadonlyArray<readonly [key: string, min: number, max: number, unit: string]> = [
  ["intervalMs", 1, MAX_TIMER_MS, "milliseconds"],
  ["onPullMinIntervalMs", 0, MAX_TIMER_MS, "milliseconds"],
  ["onPullMaxWaitMs", 0, MAX_TIMER_MS, "milliseconds"],
  ["requestTimeoutMs", 1, MAX_TIMER_MS, "milliseconds"],
  ["maxDocumentBytes", 1, Number.MAX_SAFE_INTEGER, "bytes"],
  ["missingGraceMs", 0, Number.MAX_SAFE_INTEGER, "milliseconds"],
];

/** What is wrong with one `RemoteConfig` by itself. Takes anything: it may come from JavaScript or a file. */
export function remoteMistakes(remote: unknown): string[] {
  if (!isJsonObject(remote)) return ["the remote configuration must be an object"];
  return [
    ...unknownKeys(remote),
    ...urlMistakes(remote.url),
    ...pathMistakes("pullPath", remote.pullPath, "/pull/posts/featured"),
    ...(remote.pushPath === undefined ? [] : pathMistakes("pushPath", remote.pushPath, "/push/posts/featured")),
    ...headerMistakes(remote.headers),
    ...modeMistakes(remote),
    ...triggerMistakes(remote.syncTriggers),
    ...rangeMistakes(remote),
    ...missingMistakes(remote),
    ...mergeMistakes(remote),
  ];
}

function unknownKeys(remote: Record<string, unknown>): string[] {
  return Object.keys(remote)
    .filter((key) => !(KNOWN_KEYS as readonly string[]).includes(key))
    .map((key) => `unknown option "${key}": ${suggestion(key, KNOWN_KEYS)}`);
}

function urlMistakes(url: unknown): string[] {
  const example = 'for instance "https://primary.example.com/v1"';
  if (typeof url !== "string" || !URL.canParse(url)) return [`url must be an http or https URL, ${example}`];
  const { protocol, username, password, search, hash } = new URL(url);
  const mistakes: string[] = [];
  if (protocol !== "http:" && protocol !== "https:")
    mistakes.push(`url must begin with http:// or https://, ${example}`);
  if (username || password) mistakes.push("url must not hold credentials: put them into headers");
  if (search || hash) mistakes.push(`url must not have a query or a fragment, ${example}`);
  return mistakes;
}

function pathMistakes(key: string, path: unknown, example: string): string[] {
  if (typeof path !== "string" || !path.startsWith("/") || path.startsWith("//")) {
    return [`${key} must be a path that begins with one "/", for instance "${example}"`];
  }
  if (/[{}]/.test(path)) return [`${key} must not have template variables (found "${path}"): name one document`];
  if (/[?#\s\\]|\/\.{1,2}(\/|$)/.test(path))
    return [`${key} must not have a query, a fragment, white space, "\\" or dot segments`];
  return [];
}

function headerMistakes(headers: unknown): string[] {
  if (headers === undefined) return [];
  if (!isJsonObject(headers)) return ["headers must be an object of strings"];
  return Object.entries(headers).flatMap(([name, value]) => {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return [`headers: "${name}" is not a header name`];
    // The value may be a secret and is not shown.
    if (typeof value !== "string" || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      return [`headers: the value of "${name}" must be a string of printable characters`];
    }
    return [];
  });
}

function modeMistakes({ writeMode, pushPath }: Record<string, unknown>): string[] {
  if (!WRITE_MODES.includes(writeMode as WriteMode)) {
    return [`unknown writeMode ${show(writeMode)}: ${suggestion(String(writeMode), WRITE_MODES)}`];
  }
  const { requiresPushPath } = POLICIES[writeMode as WriteMode];
  if (!requiresPushPath || pushPath !== undefined) return [];
  return [`write_mode "${writeMode}" requires remote.pushPath to be set`];
}

function triggerMistakes(triggers: unknown): string[] {
  if (!Array.isArray(triggers)) return [`syncTriggers must be an array, for instance ["scheduled"]`];
  const unknown = triggers.filter((trigger) => !TRIGGERS.includes(trigger));
  return unknown.map(
    (trigger) => `unknown trigger ${show(trigger)} in syncTriggers: ${suggestion(String(trigger), TRIGGERS)}`,
  );
}

function rangeMistakes(remote: Record<string, unknown>): string[] {
  return RANGES.filter(([key, min, max]) => {
    const value = remote[key];
    return value !== undefined && !(Number.isInteger(value) && (value as number) >= min && (value as number) <= max);
  }).map(
    ([key, min, max, unit]) =>
      `${key} must be a whole number of ${unit} from ${min} to ${max}, got ${show(remote[key])}`,
  );
}

function missingMistakes({ missing, writeMode }: Record<string, unknown>): string[] {
  if (missing === undefined || missing === "keep") return [];
  if (missing !== "remove") return [`missing must be "keep" or "remove", got ${show(missing)}`];
  const policy = WRITE_MODES.includes(writeMode as WriteMode) ? POLICIES[writeMode as WriteMode] : null;
  if (!policy?.keepsBase) return [];
  return [`missing "remove" would take away clients' writes in write mode "${writeMode}": use "keep"`];
}

function mergeMistakes({ merge, writeMode }: Record<string, unknown>): string[] {
  if (merge === undefined) return [];
  if (typeof merge !== "function") return [`merge must be a function of { base, local, remote }, got ${show(merge)}`];
  const merges = WRITE_MODES.includes(writeMode as WriteMode) && POLICIES[writeMode as WriteMode].keepsBase;
  return merges ? [] : [`merge has no use in write mode ${show(writeMode)}: remove it`];
}

function show(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}
