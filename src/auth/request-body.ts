/** A body in memory, ready to be hashed, sent and sent again. */
export interface BufferedBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The `Content-Type` that the kind of body brings along, such as a form's; `null` for bytes and strings. */
  readonly contentType: string | null;
}

async function readAll(stream: ReadableStream, signal: AbortSignal | null): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  const stop = (): void => {
    reader.cancel(signal?.reason).catch(() => {});
  };
  signal?.addEventListener("abort", stop, { once: true });
  const chunks: Uint8Array[] = [];
  try {
    signal?.throwIfAborted();
    for (;;) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) return Uint8Array.from(Buffer.concat(chunks));
      if (!(value instanceof Uint8Array)) throw new TypeError("a body stream must give Uint8Array chunks");
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/**
 * Reads any body that `fetch` takes into memory, copying what the caller could still change. A plain string brings no
 * content type along: to a primary, `text/plain` would be a binary upload. Rejects with the signal's reason when
 * aborted, and with whatever the body's stream fails with.
 */
export async function bufferBody(body: unknown, signal: AbortSignal | null): Promise<BufferedBody> {
  if (typeof body === "string") return { bytes: new TextEncoder().encode(body), contentType: null };
  if (body instanceof ArrayBuffer) return { bytes: new Uint8Array(body.slice(0)), contentType: null };
  if (ArrayBuffer.isView(body)) {
    return { bytes: Uint8Array.from(new Uint8Array(body.buffer, body.byteOffset, body.byteLength)), contentType: null };
  }
  // The platform knows how to write out forms, blobs, search parameters, streams and async iterables.
  const { headers, body: stream } = new Response(body as ConstructorParameters<typeof Response>[0]);
  const bytes = stream === null ? new Uint8Array() : await readAll(stream, signal);
  return { bytes, contentType: headers.get("content-type") };
}
