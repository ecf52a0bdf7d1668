import { once } from "node:events";
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { computeHash } from "@drakkar.software/starfish-protocol";
import type { Behaviour } from "./hostile-server.js";

const JSON_TYPE = { "content-type": "application/json" };
const MIB = 1024 * 1024;
/** The start of an answer that is right so far and can go on for ever. */
const ENDLESS_HEAD = '{"hash":"","timestamp":1,"data":{"text":"';

/** Bad behaviours for a hostile server, and one good one to compare with. */
export const hostile = {
  /** The right answer to a pull, with its ETag, and 304 for the hash it has. */
  document:
    (data: Record<string, unknown>): Behaviour =>
    async (request, response) => {
      const hash = await computeHash(data);
      const etag = `"${hash}"`;
      if (request.headers["if-none-match"] === etag) return response.writeHead(304, { etag }).end();
      return response.writeHead(200, { ...JSON_TYPE, etag }).end(JSON.stringify({ data, hash, timestamp: Date.now() }));
    },

  /** Any text as it is. Default: 200 and JSON's content type. */
  text: (body: string | Uint8Array, status = 200, headers: OutgoingHttpHeaders = JSON_TYPE): Behaviour => {
    return (_request, response) => response.writeHead(status, headers).end(body);
  },

  /** A web page, as captive portals and misconfigured proxies answer, with 200. */
  html: (status = 200): Behaviour =>
    hostile.text("<!doctype html><title>Sign in</title><h1>Welcome</h1>", status, { "content-type": "text/html" }),

  /** A status with headers, and a JSON body unless the status has none. */
  status: (
    status: number,
    headers: OutgoingHttpHeaders = {},
    body: unknown = { error: `status ${status}` },
  ): Behaviour =>
    hostile.text(status === 204 || status === 304 ? "" : JSON.stringify(body), status, { ...JSON_TYPE, ...headers }),

  /** 429 with Retry-After: seconds for a number, an HTTP-date for a Date, the very text for a string. */
  tooManyRequests: (retryAfter: number | Date | string): Behaviour =>
    hostile.status(429, {
      "retry-after": retryAfter instanceof Date ? retryAfter.toUTCString() : String(retryAfter),
    }),

  /** 401 whose `Date` header shows another time than ours. */
  unauthorizedAt: (date: Date): Behaviour =>
    hostile.status(401, { date: date.toUTCString() }, { error: "Unauthorized" }),

  /** A redirect. Another origin: an absolute URL; the same one: a path. */
  redirect: (location: string, status = 302): Behaviour => hostile.text("", status, { location }),

  /** A redirect to the very URL that was asked for. */
  redirectLoop: (status = 302): Behaviour => {
    return (request, response) => response.writeHead(status, { location: request.url ?? "/" }).end();
  },

  /** JSON that breaks off: the connection closes before the declared length, or in the middle of the chunks. */
  truncated: (how: "content-length" | "chunked"): Behaviour => {
    return (_request, response) => {
      const head = '{"data":{"a":1,"text":"this sentence has no';
      response.writeHead(200, how === "chunked" ? JSON_TYPE : { ...JSON_TYPE, "content-length": 10_000 });
      response.write(head, () => response.destroy());
    };
  },

  /** Declares fewer bytes than it sends: the client sees JSON cut short, and rubbish where the next answer should be. */
  contentLengthTooSmall: (): Behaviour => {
    return (_request, response) => {
      const body = JSON.stringify({ data: { a: 1 }, hash: "0".repeat(64), timestamp: 1 });
      // Past Node's own check, on the bare connection.
      response.socket?.write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length - 10}\r\n\r\n${body}`,
      );
    };
  },

  /**
   * A body that is too large: `declared` says so in its content-length and streams it, `chunked` says nothing and streams. Ends as valid
   * JSON after `bytes` (default 512 MiB, so that a client without a limit fails instead of eating the machine) or when the client leaves.
   */
  oversize: (how: "declared" | "chunked", bytes: number = 512 * MIB): Behaviour => {
    return async (_request, response) => {
      const tail = '"}}';
      const length = Math.max(bytes, ENDLESS_HEAD.length + tail.length);
      response.writeHead(200, how === "declared" ? { ...JSON_TYPE, "content-length": length } : JSON_TYPE);
      response.write(ENDLESS_HEAD);
      await pour(response, length - ENDLESS_HEAD.length - tail.length);
      response.end(tail);
    };
  },

  /** Takes the request and never answers. */
  silence: (): Behaviour => () => {},

  /** Sends the head and the start of the body, and then nothing more. */
  headThenSilence: (): Behaviour => {
    return (_request, response) => {
      response.writeHead(200, { ...JSON_TYPE, "content-length": 10_000 });
      response.write(ENDLESS_HEAD);
    };
  },

  /** Ends the connection without an answer: `reset` (RST) or `end` (FIN). */
  hangUp: (how: "reset" | "end" = "reset"): Behaviour => {
    return (_request, response) => {
      if (how === "reset") response.socket?.resetAndDestroy();
      else response.socket?.destroy();
    };
  },
};

/** Writes so many bytes of text at the pace of the client, or until it leaves. */
async function pour(response: ServerResponse, bytes: number): Promise<void> {
  const piece = Buffer.alloc(64 * 1024, "x");
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  for (let left = bytes; left > 0 && !response.destroyed; left -= piece.byteLength) {
    if (response.write(left < piece.byteLength ? piece.subarray(0, left) : piece)) continue;
    await once(response, "drain", { signal: gone.signal }).catch(() => {});
  }
}
