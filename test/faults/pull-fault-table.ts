import type { IncomingMessage, ServerResponse } from "node:http";
import { deflateRawSync, gzipSync } from "node:zlib";
import type { ReplicaErrorCode } from "../../src/errors.js";
import { badDocuments, deepDocument } from "../support/bad-documents.js";
import { gzipBomb } from "../support/gzip-bomb.js";
import { hostile } from "../support/hostile.js";
import type { Behaviour } from "../support/hostile-server.js";
import type { TcpProxy } from "../support/tcp-proxy.js";

/** Something that goes wrong with a pull. */
export interface PullFault {
  readonly code: ReplicaErrorCode;
  /** What the message says beside the URL. */
  readonly says: RegExp;
  readonly status?: number;
  /** What the primary does; without it the primary is well and has a new document. */
  readonly primary?: Behaviour;
  /** What the line to it does. */
  readonly line?: (proxy: TcpProxy) => unknown;
  /** Short, for faults that only the deadline ends. */
  readonly requestTimeoutMs?: number;
  /** Only through our own HTTP client: `fetch` shows it otherwise, or not at all. */
  readonly ownClientOnly?: boolean;
}

/** Above everything that a right answer needs here. */
export const MAX_DOCUMENT_BYTES: number = 1024 * 1024;

const SHORT_MS = 250;
const timeout: PullFault = {
  code: "PRIMARY_TIMEOUT",
  says: /did not answer in full within 250 ms/,
  requestTimeoutMs: SHORT_MS,
};
const unreachable: PullFault = { code: "PRIMARY_UNREACHABLE", says: /cannot be reached/ };
const tooLarge: PullFault = { code: "ANSWER_TOO_LARGE", says: /answered with more than 1048576 bytes/ };
const invalid: PullFault = { code: "ANSWER_INVALID", says: /answered with / };

function status(code: number, kind: "PRIMARY_UNAVAILABLE" | "PRIMARY_REFUSED", primary?: Behaviour): PullFault {
  return { code: kind, says: new RegExp(`answered ${code}$`), status: code, primary: primary ?? hostile.status(code) };
}

const badAnswers = Object.entries(badDocuments).map(([what, body]): [string, PullFault] => [
  `200 with ${what}`,
  { ...invalid, primary: hostile.text(body) },
]);

/** A raw answer past Node's HTTP, after which the connection closes. */
function raw(text: string): Behaviour {
  return (_request: IncomingMessage, response: ServerResponse) => response.socket?.end(text);
}

/** Every fault by what happens. `elsewhere` is an origin that nothing of a request may reach. */
export function pullFaults(elsewhere: string): ReadonlyMap<string, PullFault> {
  return new Map<string, PullFault>([
    ["a refused connection", { ...unreachable, says: /ECONNREFUSED/, line: (proxy) => proxy.refuse() }],
    ["a reset in the middle of the head", { ...unreachable, line: (proxy) => proxy.resetAfter(30) }],
    ["a reset in the middle of the body", { ...unreachable, line: (proxy) => proxy.resetAfter(900) }],
    ["a black hole", { ...timeout, line: (proxy) => proxy.blackHole() }],
    ["an answer byte by byte", { ...timeout, line: (proxy) => proxy.drip(1, 20) }],
    ["a reset without an answer", { ...unreachable, primary: hostile.hangUp("reset") }],
    ["an end without an answer", { ...unreachable, primary: hostile.hangUp("end") }],
    ["JSON cut short of its length", { ...unreachable, primary: hostile.truncated("content-length") }],
    ["JSON cut between chunks", { ...unreachable, primary: hostile.truncated("chunked") }],
    ["a length that is too small", { ...invalid, says: /not whole JSON/, primary: hostile.contentLengthTooSmall() }],
    ["no HTTP at all", { ...unreachable, primary: raw("220 mail.example.com ESMTP\r\n") }],
    ["no answer ever", { ...timeout, primary: hostile.silence() }],
    ["a head and then silence", { ...timeout, primary: hostile.headThenSilence() }],
    ["a web page with 200", { ...invalid, says: /text\/html that is not whole JSON/, primary: hostile.html() }],
    ...badAnswers,
    [
      "a right answer but for one byte that is no UTF-8",
      {
        ...invalid,
        says: /not UTF-8/,
        primary: hostile.text(Buffer.from('{"data":{"a":"\xff"},"hash":"h","timestamp":1}', "latin1")),
      },
    ],
    ["a document too deep", { ...invalid, says: /nested deeper than 256/, primary: hostile.text(deepDocument()) }],
    ["a length over the limit", { ...tooLarge, primary: hostile.oversize("declared") }],
    ["chunks over the limit", { ...tooLarge, primary: hostile.oversize("chunked") }],
    ["a gzip bomb", { ...tooLarge, primary: gzipBomb() }],
    [
      "broken gzip",
      {
        ...invalid,
        says: /cannot be decompressed/,
        primary: hostile.text(gzipSync('{"data":{}}').fill(0, 12), 200, { "content-encoding": "gzip" }),
      },
    ],
    [
      "a compression that was not asked for",
      {
        ...invalid,
        says: /Content-Encoding "snappy"/,
        primary: hostile.text(deflateRawSync("{}"), 200, { "content-encoding": "snappy" }),
        ownClientOnly: true,
      },
    ],
    [
      "a redirect to another origin",
      {
        code: "PRIMARY_REDIRECTED",
        says: /redirected to .*\/v1\/pull\/stolen, which is another origin$/,
        primary: hostile.redirect(`${elsewhere}/v1/pull/stolen?key=secret-query`),
      },
    ],
    [
      "a redirect to the same host without a port",
      {
        code: "PRIMARY_REDIRECTED",
        says: /another origin$/,
        primary: hostile.redirect("http://127.0.0.1/v1/pull/x?key=secret-query"),
      },
    ],
    [
      "a redirect to nowhere",
      { code: "PRIMARY_REDIRECTED", says: /no URL/, primary: hostile.redirect("http://[secret-query") },
    ],
    [
      "a redirect loop",
      { code: "PRIMARY_REDIRECTED", says: /redirected more than 5 times/, primary: hostile.redirectLoop() },
    ],
    ["a redirect without a target", status(302, "PRIMARY_REFUSED")],
    ["429 with seconds", status(429, "PRIMARY_UNAVAILABLE", hostile.tooManyRequests(0))],
    ["429 with a date", status(429, "PRIMARY_UNAVAILABLE", hostile.tooManyRequests(new Date(0)))],
    ["429 with rubbish", status(429, "PRIMARY_UNAVAILABLE", hostile.tooManyRequests("soon"))],
    ...[408, 425, 500, 502, 503, 504, 599].map((code): [string, PullFault] => [
      `${code}`,
      status(code, "PRIMARY_UNAVAILABLE"),
    ]),
    ...[204, 206, 400, 401, 403, 404, 405, 410, 418].map((code): [string, PullFault] => [
      `${code}`,
      status(code, "PRIMARY_REFUSED"),
    ]),
  ]);
}
