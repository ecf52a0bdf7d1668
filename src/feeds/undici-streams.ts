import { streamErrors } from "./stream-errors.js";
import type { StreamTransport } from "./stream-transport.js";

/** Through undici, which loads with the first stream. There is no deadline: the caller has its own. */
export function createUndiciStreams(): StreamTransport {
  let agent: import("undici").Agent | undefined;
  return {
    async open(url, headers, signal) {
      const undici = await import("undici");
      signal.throwIfAborted();
      agent ??= new undici.Agent();
      const answer = await undici.request(url, {
        dispatcher: agent,
        headers,
        signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const header = (name: string): string | null => [answer.headers[name.toLowerCase()]].flat()[0] ?? null;
      const discard = (): void => {
        answer.body.on("error", () => {}).destroy();
      };
      const encoding = header("content-encoding");
      if (encoding !== null && encoding !== "identity") {
        discard();
        throw streamErrors.invalid(url, "compresses its stream, which was not asked for");
      }
      return { status: answer.statusCode, header, body: answer.body, discard };
    },
    async close() {
      const closing = agent;
      agent = undefined;
      await closing?.destroy();
    },
  };
}
