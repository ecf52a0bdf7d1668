import { readDocument, readErrorText, tooLarge } from "./body-reader.js";
import { withDeadline } from "./request-deadline.js";
import type { HttpAnswer, HttpRequest, Transport } from "./transport.js";
import { mapTransportError, requestTimedOut } from "./transport-errors.js";

/** Requests through a caller's `fetch`, for instance one that signs. Sockets are that function's own business. */
export function createFetchTransport(fetchFn: typeof fetch): Transport {
  async function exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { url, method, headers, body, maxBytes } = request;
    const response = await fetchFn(url, {
      method,
      headers: { ...headers },
      ...(body === undefined ? {} : { body }),
      signal,
      redirect: "manual",
    });
    const header = (name: string): string | null => response.headers?.get(name) ?? null;
    // The headers of a 304 may speak of the document that it does not send.
    if (response.status === 304) return { status: 304, header, body: "", bytes: 0 };
    const success = response.status >= 200 && response.status < 300;
    const declared = header("content-encoding") ? 0 : Number(header("content-length") ?? 0);
    if (success && declared > maxBytes) throw tooLarge(maxBytes, url);
    const { text, bytes } = success
      ? await readDocument(bodyOf(response), maxBytes, url)
      : await readErrorText(bodyOf(response));
    return { status: response.status, header, body: text, bytes };
  }

  return {
    send(request) {
      return withDeadline(
        request.signal,
        request.timeoutMs,
        () => requestTimedOut(request.timeoutMs, request.url),
        async (signal) => {
          try {
            return await exchange(request, signal);
          } catch (error) {
            throw mapTransportError(error, request.url);
          }
        },
      );
    },
    close: async () => {},
  };
}

/** The body's chunks. A stand-in of a test may have no stream, only `text()` or `json()`. */
async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body) {
    yield* response.body as unknown as AsyncIterable<Uint8Array>;
    return;
  }
  const text =
    typeof response.text === "function" ? await response.text() : JSON.stringify(await (response as Response).json());
  yield new TextEncoder().encode(text);
}
