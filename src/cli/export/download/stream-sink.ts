import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Sink } from "./sink.js";

/** Hands on to a stream at the pace of whoever reads it. */
export function createStreamSink(stream: NodeJS.WriteStream): Sink {
  const hash = createHash("sha256");
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    async write(chunk) {
      bytes += chunk.length;
      hash.update(chunk);
      if (!stream.write(chunk)) await once(stream, "drain");
    },
    digest: () => hash.copy().digest("hex"),
  };
}
