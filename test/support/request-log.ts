import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";

/** One request that a support server got, in order of arrival. It fills up while the answer is under way. */
export interface LoggedRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  /** The query with its `?`, or "". */
  readonly search: string;
  readonly headers: IncomingHttpHeaders;
  /** Status of the answer; `null` until its head is sent, for ever when it never was. */
  readonly status: number | null;
  /** Bytes of the answer on the wire so far, head and body. */
  readonly bytesSent: number;
  /** `"open"` while under way, `"finished"` when all was sent, `"aborted"` when the connection closed before. */
  readonly state: "open" | "finished" | "aborted";
}

/** Starts the record of one request. It lets go of request and response when the answer has ended. */
export function logRequest(request: IncomingMessage, response: ServerResponse): LoggedRequest {
  const target = request.url ?? "/";
  const query = target.indexOf("?");
  const { socket } = request;
  const writtenBefore = socket.bytesWritten;
  let live: ServerResponse | undefined = response;
  let state: LoggedRequest["state"] = "open";
  let final = { status: null as number | null, bytesSent: 0 };
  const current = () =>
    live === undefined
      ? final
      : { status: live.headersSent ? live.statusCode : null, bytesSent: socket.bytesWritten - writtenBefore };
  const close = (how: LoggedRequest["state"]) => {
    if (live === undefined) return;
    final = current();
    state = how;
    live = undefined;
  };
  response.once("finish", () => close("finished"));
  response.once("close", () => close("aborted"));
  return {
    method: request.method ?? "GET",
    path: query < 0 ? target : target.slice(0, query),
    search: query < 0 ? "" : target.slice(query),
    headers: request.headers,
    get status() {
      return current().status;
    },
    get bytesSent() {
      return current().bytesSent;
    },
    get state() {
      return state;
    },
  };
}
