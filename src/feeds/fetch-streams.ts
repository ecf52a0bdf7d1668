import { streamErrors } from "./stream-errors.js";
import type { StreamTransport } from "./stream-transport.js";

/** Through a caller's `fetch`. */
export function createFetchStreams(fetchFn: typeof fetch): StreamTransport {
  return {
    async open(url, headers, signal) {
      const response = await fetchFn(url, { headers, signal, redirect: "manual" });
      if (response.type === "opaqueredirect") {
        throw streamErrors.redirected(url, "and `fetchFn` does not show where to", response.status);
      }
      return {
        status: response.status,
        header: (name) => response.headers.get(name),
        body: pieces(response.body),
        discard: () => void response.body?.cancel().catch(() => {}),
      };
    },
    close: async () => {},
  };
}

/** Not every `ReadableStream` that a `fetch` gives can be iterated. */
async function* pieces(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  if (!reader) return;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}
