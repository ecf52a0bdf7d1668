import type { IncomingMessage } from "node:http";
import type { Context } from "hono";

/**
 * The body, with a connection that is reset where it errors. HTTP/1.0, in which some proxies ask, knows the end of an answer by the end of its
 * connection: one that is merely closed would make a whole of what broke off. Answers in chunks tell the two apart by themselves.
 */
export function breakingOff(body: ReadableStream<Uint8Array>, context: Context): ReadableStream<Uint8Array> {
  const { incoming } = (context.env ?? {}) as { readonly incoming?: IncomingMessage };
  if (incoming?.httpVersion !== "1.0") return body;
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        reader.closed.catch((error: unknown) => {
          reset(incoming);
          controller.error(error);
        });
      },
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function reset({ socket }: IncomingMessage): void {
  try {
    socket.resetAndDestroy();
  } catch {
    // Neither TLS nor a Unix socket has a reset.
    socket.destroy();
  }
}
