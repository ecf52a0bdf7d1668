import type { Readable } from "node:stream";
import { createGuardedConnector, type GuardedConnectorOptions } from "./guarded-connector.js";

/** An answer's body says nothing that we need. It is read a little, since some receivers stop their work when their caller hangs up. */
const MAX_ANSWER_BYTES = 4_096;
const MAX_ANSWER_MS = 2_000;

export interface CallbackPost {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface CallbackAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
}

/**
 * Posts once over a connection of its own, which is dropped afterwards, and follows no redirect. Resolves with the first status that is no interim
 * one, whatever becomes of the answer's body, of which at most 4 KiB are read and for at most 2 s. Rejects with `CALLBACK_REFUSED`, with what
 * went wrong on the way, or, where the signal aborted, with anything.
 */
export async function postCallback(
  url: URL,
  { headers, body }: CallbackPost,
  guard: GuardedConnectorOptions,
  signal: AbortSignal,
): Promise<CallbackAnswer> {
  const { Client } = await import("undici");
  signal.throwIfAborted();
  const connector = createGuardedConnector(guard);
  // The signal is the deadline.
  const client = new Client(url.origin, { connect: connector.connect, headersTimeout: 0, bodyTimeout: 0 });
  // undici heeds the signal only once it is connected.
  const drop = (): void => connector.destroy();
  signal.addEventListener("abort", drop, { once: true });
  try {
    const answer = await client.request({
      method: "POST",
      path: `${url.pathname}${url.search}`,
      headers,
      body,
      signal,
      reset: true,
    });
    await readALittle(answer.body);
    return { status: answer.statusCode, retryAfter: [answer.headers["retry-after"]].flat()[0] ?? null };
  } finally {
    signal.removeEventListener("abort", drop);
    connector.destroy();
    await client.destroy();
  }
}

/** Never rejects: the status has been heard. */
async function readALittle(body: Readable): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, MAX_ANSWER_MS);
    let bytes = 0;
    body.on("data", (piece: Uint8Array) => {
      bytes += piece.byteLength;
      if (bytes > MAX_ANSWER_BYTES) resolve();
    });
    body
      .once("error", () => resolve())
      .once("close", () => {
        clearTimeout(timer);
        resolve();
      });
  });
  body.on("error", () => {}).destroy();
}
