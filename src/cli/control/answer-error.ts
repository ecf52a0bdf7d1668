import { describeUrl } from "../../http/describe-url.js";
import { parseRetryAfter } from "../../http/retry-after.js";
import { systemCode } from "../../http/system-code.js";
import { isTemporary } from "../../http/temporary-status.js";
import { CliError } from "../cli-error.js";
import { printable } from "../printable.js";
import { TOKEN_VARIABLE } from "./control-target.js";

/** Our routes' own answers, and what anybody else may answer in their place. */
interface RefusedAnswer {
  readonly url: string;
  readonly status: number;
  readonly mediaType: string;
  readonly retryAfter: string | null;
  readonly location: string | null;
  /** As JSON where it is that. */
  readonly body: unknown;
  readonly token: string | null;
}

/** What an answer that is no success means to whoever typed the command. */
export function answerError(answer: RefusedAnswer): CliError {
  const { status, body } = answer;
  const url = describeUrl(answer.url);
  if (status >= 300 && status < 400) {
    const to = URL.canParse(answer.location ?? "", answer.url) ? new URL(answer.location ?? "", answer.url) : null;
    return new CliError("REDIRECTED", `${url} leads elsewhere (${status}), which is not followed`, {
      hint: to === null ? "Is --server right?" : `Is ${describeUrl(to)} what --server should lead to?`,
    });
  }
  const { error, code } = isObject(body) ? body : {};
  if (typeof error !== "string" || typeof code !== "string") return foreignError(answer, url);
  const said = withoutToken(printable(error), answer.token);
  const retryAfterMs = parseRetryAfter(answer.retryAfter);
  if (status === 401) return unauthorized(answer.token);
  return new CliError(printable(code, 80), said, {
    retryable: isTemporary(status),
    retryAfterMs,
    hint: retryAfterMs === null ? undefined : `The server asks to wait ${Math.ceil(retryAfterMs / 1_000)} s.`,
  });
}

/**
 * An answer that does not look like one of ours: a proxy's, or some other program's.
 * @param what may come from there
 */
export function notOurs(url: string, what: string): CliError {
  return new CliError(
    "NOT_OURS",
    `${describeUrl(url)} is no server of this kind: it answers with ${printable(what, 200)}`,
    {
      hint: "Is --server right?",
    },
  );
}

/** No answer at all. */
export function connectionError(error: unknown, url: string): CliError {
  const origin = URL.canParse(url) ? new URL(url).origin : "the server";
  const code = systemCode(error) ?? "";
  const [message, hint] = whyNoAnswer(code, origin);
  const certificate = /CERT|SELF_SIGNED|SIGNATURE/.test(code) || code === "ERR_TLS_CERT_ALTNAME_INVALID";
  return new CliError(certificate ? "SERVER_CERTIFICATE" : "SERVER_UNREACHABLE", message, {
    hint,
    retryable: !certificate,
    cause: error,
  });
}

function whyNoAnswer(code: string, origin: string): [string, string?] {
  const isItRunning = "Is it running, and is --server right?";
  if (code === "ECONNREFUSED") return [`nothing answers at ${origin}`, isItRunning];
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return [`the host of ${origin} is not known`, "Is --server right?"];
  if (/TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/.test(code)) return [`no answer from ${origin} in time`, isItRunning];
  if (/^UND_ERR_(SOCKET|ABORTED)$|ECONNRESET|EPIPE/.test(code)) return [`the connection to ${origin} broke off`];
  if (/^HPE_|UND_ERR_/.test(code)) return [`what answers at ${origin} does not speak HTTP`, "Is --server right?"];
  if (code === "EPROTO" || code.startsWith("ERR_SSL")) {
    return [`${origin} does not answer as https:// should`, "Is it http://?"];
  }
  if (/CERT|SELF_SIGNED|SIGNATURE/.test(code)) {
    return [
      `the certificate of ${origin} is not trusted (${code})`,
      "NODE_EXTRA_CA_CERTS can name a file with the authority that signed it.",
    ];
  }
  return [`${origin} cannot be reached${code === "" ? "" : ` (${code})`}`, isItRunning];
}

function foreignError(answer: RefusedAnswer, url: string): CliError {
  const { status } = answer;
  if (status === 401 || status === 403) return unauthorized(answer.token);
  if (isTemporary(status)) {
    return new CliError("SERVER_UNAVAILABLE", `${url} is not available (${status})`, {
      retryable: true,
      retryAfterMs: parseRetryAfter(answer.retryAfter),
    });
  }
  if (status === 404) {
    return new CliError("NOT_OURS", `there is nothing at ${url} (404)`, {
      hint: "Is --server right, and does that server have this part switched on?",
    });
  }
  return notOurs(answer.url, `status ${status} and ${answer.mediaType || "nothing"}`);
}

function unauthorized(token: string | null): CliError {
  const how = `--token TOKEN or ${TOKEN_VARIABLE}`;
  return token === null
    ? new CliError("UNAUTHORIZED", "the server asks for its control token", { hint: `Give it with ${how}.` })
    : new CliError("UNAUTHORIZED", "the server does not accept this token", {
        hint: `Its own is what its routes were given as \`token\`: give that with ${how}.`,
      });
}

/** Some servers repeat what they were sent. */
function withoutToken(text: string, token: string | null): string {
  return token === null ? text : text.replaceAll(token, "[token]");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
