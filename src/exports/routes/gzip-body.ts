import { once } from "node:events";
import { constants, createGzip } from "node:zlib";

/** Nearly all that can be saved, at twice the speed of zlib's default: a dump holds up its database's checkpoints for as long as it is read. */
const LEVEL = 4;

/**
 * The body, compressed as it is read and no further ahead. Its first bytes go out at once. An error of the body is one of the result, which then has no
 * gzip end; to cancel the result cancels the body.
 */
export function gzipBody(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const gzip = createGzip({ level: LEVEL });
  const output: Uint8Array[] = [];
  let failure: unknown;
  let begun = false;
  gzip.on("data", (bytes: Uint8Array) => output.push(bytes));
  gzip.on("error", (error) => {
    failure ??= error;
  });

  const compress = async (bytes: Uint8Array): Promise<void> => {
    await new Promise<void>((resolve, reject) => gzip.write(bytes, (error) => (error ? reject(error) : resolve())));
    if (begun) return;
    begun = true;
    await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
  };

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // Also while nobody reads: whoever waits for a slow client has to learn of it.
        reader.closed.catch((error: unknown) => {
          gzip.destroy();
          controller.error(error);
        });
      },
      async pull(controller) {
        try {
          while (output.length === 0) {
            const { done, value } = await reader.read();
            if (done) {
              const ended = once(gzip, "end");
              gzip.end();
              await ended;
              for (const bytes of output.splice(0)) controller.enqueue(bytes);
              controller.close();
              return;
            }
            await compress(value);
            if (failure !== undefined) throw failure;
          }
          for (const bytes of output.splice(0)) controller.enqueue(bytes);
        } catch (error) {
          gzip.destroy();
          controller.error(error);
          await reader.cancel(error).catch(() => {});
        }
      },
      async cancel(reason) {
        gzip.destroy();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
